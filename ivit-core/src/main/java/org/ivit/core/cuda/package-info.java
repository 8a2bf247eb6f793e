/**
 * NVIDIA GPUs: kernels from a jar, memory and launches by the driver API. A {@link
 * org.ivit.core.cuda.Device} is the driver's or, in tests, an emulation on the processor.
 */
package org.ivit.core.cuda;
