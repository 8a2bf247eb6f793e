/** Tensors as typed little-endian memory, and the safetensors files that hold them. */
package org.ivit.core.tensor;
