/**
 * The engine {@code cuda}: the forward pass on an NVIDIA GPU, in integers only. The kernels are in
 * {@code src/main/cuda}; a {@link org.ivit.core.engine.cuda.Device} runs them, which is the
 * driver's or, in tests, an emulation on the processor.
 */
package org.ivit.core.engine.cuda;
