package org.ivit.train.device.pass;

import org.ivit.core.cuda.Structure;

/**
 * Partial sums over rows in float64.
 *
 * @param address of [parts][columns]
 * @param parts how many
 * @param rows of a part
 */
public record Partials(long address, int parts, int rows) {
  /** Fewer are not worth a part. */
  static final int LEAST_ROWS = 32;

  private static final class PartialSumArguments extends Structure {
    private final Field<Long> partial = address();
    private final Field<Long> to = address();
    private final Field<Long> factors = address();
    private final Field<Integer> parts = int32();
    private final Field<Integer> columns = int32();
    private final Field<Integer> stride = int32();
    private final Field<Integer> added = int32();
  }

  /**
   * Adds them up.
   *
   * @param first column
   * @param columns to add up
   * @param stride columns of a part
   * @param to receives float32
   * @param factors address of a factor a column, or 0
   * @param add whether to add to what is there
   */
  public void sum(
      Pass pass, int first, int columns, int stride, long to, long factors, boolean add) {
    PartialSumArguments a = new PartialSumArguments();
    a.partial.set(address + 8L * first);
    a.to.set(to);
    a.factors.set(factors);
    a.parts.set(parts);
    a.columns.set(columns);
    a.stride.set(stride);
    a.added.set(add ? 1 : 0);
    pass.each("partial_sums", columns, 0, a);
  }
}
