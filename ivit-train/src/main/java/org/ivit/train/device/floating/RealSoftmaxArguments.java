package org.ivit.train.device.floating;

import org.ivit.core.cuda.Structure;

/** What the kernels {@code softmax_reals} and {@code softmax_reals_backward} take. */
final class RealSoftmaxArguments extends Structure {
  final Field<Long> scores = address();
  final Field<Long> table = address();
  final Field<Long> places = address();
  final Field<Long> masks = address();
  final Field<Long> gradient = address();
  final Field<Long> rows = int64();
  final Field<Integer> length = int32();
  final Field<Integer> heads = int32();
  final Field<Integer> windows = int32();
  final Field<Integer> unused = unused();
}
