package org.ivit.train.device.pass;

import org.ivit.core.cuda.Arguments;

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
    pass.each(
        "partial_sums",
        columns,
        0,
        new Arguments()
            .address(address + 8L * first)
            .address(to)
            .address(factors)
            .ints(parts, columns, stride, add ? 1 : 0));
  }
}
