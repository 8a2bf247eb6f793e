/**
 * The engine {@code cuda}: the forward pass on an NVIDIA GPU, in integers only. The kernels are in
 * {@code src/main/cuda}; a {@link org.ivit.core.cuda.Device} runs them.
 */
package org.ivit.core.engine.cuda;
