package org.ivit.train.device.pass;

import org.ivit.core.cuda.Divisor;
import org.ivit.core.cuda.Structure;

/**
 * Rows of pictures in another order.
 *
 * @param order address of the row of the picture for each row in order
 * @param length rows of a picture
 * @param channels of a row
 * @param back whether from the order to the picture
 */
public record RowGather(long order, int length, int channels, boolean back) {
  private static final class GatherArguments extends Structure {
    private final Field<Long> from = address();
    private final Field<Long> to = address();
    private final Field<Long> order = address();
    private final Field<Long> rows = int64();
    private final Field<Divisor> ofChannels = divisor();
    private final Field<Divisor> ofLength = divisor();
    private final Field<Integer> length = int32();
    private final Field<Integer> fromRows = int32();
    private final Field<Integer> toRows = int32();
    private final Field<Integer> fromFirst = int32();
    private final Field<Integer> channels = int32();
    private final Field<Integer> scatter = int32();
  }

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

  /**
   * Puts rows of each picture back to its begin: the way back of {@link #slice} from row 0.
   *
   * @param bytes of an element: 1, 2 or 4
   * @param count rows of a picture in {@code from}
   * @param of rows of a picture in {@code to}, of which the others are left alone
   */
  public static void spread(
      Pass pass, int bytes, long from, long to, int pictures, int count, int of, int channels) {
    long rows = (long) pictures * count;
    run(pass, bytes, from, to, rows, 0, count, count, of, 0, channels, false);
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
    GatherArguments a = new GatherArguments();
    a.from.set(from);
    a.to.set(to);
    a.order.set(order);
    a.rows.set(rows);
    a.ofChannels.set(Divisor.of(channels));
    a.ofLength.set(Divisor.of(length));
    a.length.set(length);
    a.fromRows.set(fromRows);
    a.toRows.set(toRows);
    a.fromFirst.set(first);
    a.channels.set(channels);
    a.scatter.set(back ? 1 : 0);
    pass.each("gather_rows_" + 8 * bytes, rows * channels, 0, a);
  }
}
