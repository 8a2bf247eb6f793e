package org.ivit.core.engine.portable.product;

/** Receives finished accumulators, a piece of a row at a time. */
@FunctionalInterface
public interface RowSink {
  /**
   * The accumulator of output {@code column + j} is {@code (int) last[j] + before[j]}.
   *
   * @param row number of the row within the call
   * @param column first output of the piece
   * @param n outputs of the piece
   * @param last integers in float32
   * @param before the rest of the sums, or null where there is none
   */
  void row(int row, int column, int n, float[] last, int[] before);
}
