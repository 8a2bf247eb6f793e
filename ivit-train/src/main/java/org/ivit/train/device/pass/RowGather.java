package org.ivit.train.device.pass;

import org.ivit.core.cuda.Arguments;

/**
 * Rows of pictures in another order.
 *
 * @param order address of the row of the picture for each row in order
 * @param length rows of a picture
 * @param channels of a row
 * @param back whether from the order to the picture
 */
public record RowGather(long order, int length, int channels, boolean back) {
  /**
   * @param bytes of an element: 1, 2 or 4
   * @param rows of all pictures
   */
  public void run(Pass pass, int bytes, long from, long to, long rows) {
    run(pass, bytes, from, to, rows, order, length, length, length, 0, channels, back);
  }

  /**
   * Takes {@code count} rows of each picture, one after the other.
   *
   * @param bytes of an element: 1, 2 or 4
   * @param first of them in a picture
   * @param of rows of a picture
   */
  public static void slice(
      Pass pass,
      int bytes,
      long from,
      long to,
      int pictures,
      int first,
      int count,
      int of,
      int channels) {
    run(
        pass,
        bytes,
        from,
        to,
        (long) pictures * count,
        0,
        count,
        of,
        count,
        first,
        channels,
        false);
  }

  private static void run(
      Pass pass,
      int bytes,
      long from,
      long to,
      long rows,
      long order,
      int length,
      int fromRows,
      int toRows,
      int first,
      int channels,
      boolean back) {
    pass.rows(
        "gather_rows_" + 8 * bytes,
        rows,
        new Arguments()
            .address(from)
            .address(to)
            .address(order)
            .longs(rows)
            .ints(length, fromRows, toRows, first, channels, back ? 1 : 0));
  }
}
