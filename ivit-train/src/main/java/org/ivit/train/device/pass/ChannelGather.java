package org.ivit.train.device.pass;

import org.ivit.core.cuda.Divisor;
import org.ivit.core.cuda.Structure;

/**
 * Channels of codes in an order of their own.
 *
 * @param source address of the place of each channel in its row, -1 of a zero, [length]
 * @param fromStride codes of a row before
 * @param length codes of a row afterwards
 */
public record ChannelGather(long source, int fromStride, int length) {
  private static final class OrderArguments extends Structure {
    private final Field<Long> from = address();
    private final Field<Long> to = address();
    private final Field<Long> source = address();
    private final Field<Divisor> ofLength = divisor();
    private final Field<Long> rows = int64();
    private final Field<Long> paddedRows = int64();
    private final Field<Integer> fromStride = int32();
    private final Field<Integer> length = int32();
  }

  /**
   * @param from address of 8-bit codes, [rows][fromStride]
   * @param to receives [paddedRows][length], rows of zeros at the end
   */
  public void run(Pass pass, long from, long to, long rows, long paddedRows) {
    OrderArguments a = new OrderArguments();
    a.from.set(from);
    a.to.set(to);
    a.source.set(source);
    a.ofLength.set(Divisor.of(length));
    a.rows.set(rows);
    a.paddedRows.set(paddedRows);
    a.fromStride.set(fromStride);
    a.length.set(length);
    pass.each("order_channels", paddedRows * length, 0, a);
  }
}
