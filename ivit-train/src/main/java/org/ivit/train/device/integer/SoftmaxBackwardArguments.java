package org.ivit.train.device.integer;

import org.ivit.core.cuda.Structure;

/** What the kernels {@code softmax_backward} and {@code probabilities_of_codes} take. */
final class SoftmaxBackwardArguments extends Structure {
  final Field<Long> probabilities = address();
  final Field<Long> gradient = address();
  final Field<Long> values = address();
  final Field<Double> scale = float64();
  final Field<Long> rows = int64();
  final Field<Integer> length = int32();
  final Field<Integer> deferred = int32();
}
