package org.ivit.train.device.floating;

import org.ivit.core.cuda.Divisor;
import org.ivit.core.cuda.Structure;

/** What the kernels {@code softmax_reals} and {@code softmax_reals_backward} take. */
final class RealSoftmaxArguments extends Structure {
  final Field<Long> scores = address();
  final Field<Long> table = address();
  final Field<Long> places = address();
  final Field<Long> masks = address();
  final Field<Long> gradient = address();
  final Field<Divisor> ofLength = divisor();
  final Field<Divisor> ofHeads = divisor();
  final Field<Divisor> ofWindows = divisor();
  final Field<Long> rows = int64();
  final Field<Integer> length = int32();
  final Field<Integer> heads = int32();
  final Field<Integer> windows = int32();
  final Field<Integer> unused = unused();

  /**
   * Sets how rows lie.
   *
   * @param groups of heads of windows, or of pictures
   * @param queries of a head
   * @param keys numbers of a row; as many as queries where there are several
   */
  void shape(int groups, int heads, int queries, int keys, int windowCount) {
    ofLength.set(Divisor.of(keys));
    ofHeads.set(Divisor.of(heads));
    ofWindows.set(Divisor.of(windowCount));
    rows.set((long) groups * heads * queries);
    length.set(keys);
    this.heads.set(heads);
    windows.set(windowCount);
  }
}
