package org.ivit.train.device.pass;

import org.ivit.core.cuda.Divisor;
import org.ivit.core.cuda.Structure;

/** Matrices turned on the device, one a picture: scores by token to scores by head, and back. */
public final class AxisSwap {
  private static final class SwapArguments extends Structure {
    private final Field<Long> from = address();
    private final Field<Long> to = address();
    private final Field<Long> groups = int64();
    private final Field<Divisor> ofSize = divisor();
    private final Field<Divisor> ofRows = divisor();
    private final Field<Integer> rows = int32();
    private final Field<Integer> columns = int32();
  }

  private AxisSwap() {}

  /**
   * @param from address of float32, [pictures][rows][columns]
   * @param to receives [pictures][columns][rows]
   */
  public static void run(Pass pass, long from, long to, int pictures, int rows, int columns) {
    int size = Math.multiplyExact(rows, columns);
    SwapArguments a = new SwapArguments();
    a.from.set(from);
    a.to.set(to);
    a.groups.set((long) pictures);
    a.ofSize.set(Divisor.of(size));
    a.ofRows.set(Divisor.of(rows));
    a.rows.set(rows);
    a.columns.set(columns);
    pass.each("swap_axes", (long) pictures * size, 0, a);
  }
}
