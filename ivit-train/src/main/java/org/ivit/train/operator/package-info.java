/**
 * The mathematics of training on plain memory: forward and backward passes of the float and of the
 * integer network, without a Deeplearning4j type. Buffers are {@link
 * org.ivit.train.operator.Reals}, float32 or float64; rows are computed in float64, products by
 * {@link org.ivit.train.operator.Gemm}.
 */
package org.ivit.train.operator;
