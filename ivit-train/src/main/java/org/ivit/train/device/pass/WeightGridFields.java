package org.ivit.train.device.pass;

import org.ivit.core.cuda.Divisor;
import org.ivit.core.cuda.Structure;

/** What kernels know of the grid of a layer's weights: the structure {@code WeightGrid}. */
public final class WeightGridFields extends Structure {
  final Field<Long> table = address();
  final Field<Long> multipliers = address();
  final Field<Divisor> size = divisor();
  final Field<Integer> groups = int32();
  final Field<Integer> bits = int32();
  final Field<Integer> shift = int32();
  private final Field<Integer> unused = unused();

  /** That of weights of 8 bits. */
  public static WeightGridFields none() {
    WeightGridFields none = new WeightGridFields();
    none.table.set(0L);
    none.multipliers.set(0L);
    none.size.set(Divisor.of(1));
    none.groups.set(0);
    none.bits.set(0);
    none.shift.set(0);
    return none;
  }
}
