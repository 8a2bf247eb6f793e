package org.ivit.train.device.pass;

import org.ivit.core.cuda.Structure;

/** Matrices turned on the device, one a picture: scores by token to scores by head, and back. */
public final class AxisSwap {
  private static final class SwapArguments extends Structure {
    private final Field<Long> from = address();
    private final Field<Long> to = address();
    private final Field<Long> count = int64();
    private final Field<Integer> rows = int32();
    private final Field<Integer> columns = int32();
  }

  private AxisSwap() {}

  /**
   * @param from address of float32, [pictures][rows][columns]
   * @param to receives [pictures][columns][rows]
   */
  public static void run(Pass pass, long from, long to, int pictures, int rows, int columns) {
    long count = (long) pictures * rows * columns;
    SwapArguments a = new SwapArguments();
    a.from.set(from);
    a.to.set(to);
    a.count.set(count);
    a.rows.set(rows);
    a.columns.set(columns);
    pass.each("swap_axes", count, 0, a);
  }
}
