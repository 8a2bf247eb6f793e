/** Single nodes on an NVIDIA GPU: constants on the device and the launches of their kernels. */
package org.ivit.core.engine.cuda.layer;
