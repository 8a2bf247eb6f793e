package org.ivit.train.device.floating;

import org.ivit.core.architecture.Stem;
import org.ivit.core.cuda.Structure;
import org.ivit.train.device.pass.Pass;

/** Normalised pixels to rows of patches, on the device. */
final class UnfoldedPatches {
  private static final class UnfoldArguments extends Structure {
    private final Field<Long> pixels = address();
    private final Field<Long> to = address();
    private final Field<Long> count = int64();
    private final Field<Integer> height = int32();
    private final Field<Integer> width = int32();
    private final Field<Integer> patch = int32();
    private final Field<Integer> unused = unused();
  }

  private UnfoldedPatches() {}

  /**
   * @param pixels address, [pictures][3][height][width]
   * @param rows receives [pictures·patches][inputs]
   */
  static void forward(Pass pass, Stem shape, long pixels, int pictures, long rows) {
    long count = (long) pictures * shape.pixels();
    UnfoldArguments a = new UnfoldArguments();
    a.pixels.set(pixels);
    a.to.set(rows);
    a.count.set(count);
    a.height.set(shape.image().height());
    a.width.set(shape.image().width());
    a.patch.set(shape.patch());
    pass.each("unfold_reals", count, 0, a);
  }
}
