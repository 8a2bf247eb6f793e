/**
 * Numbers of a step in native memory, {@link org.ivit.train.memory.Reals}, float32 or float64, and
 * what computes on them below operators: matrix products by {@link org.ivit.train.memory.Gemm},
 * rows by {@link org.ivit.train.memory.NativeRows}.
 */
package org.ivit.train.memory;
