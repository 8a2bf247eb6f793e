package org.ivit.train.device.floating;

import org.ivit.core.architecture.Stem;
import org.ivit.core.cuda.Structure;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.device.pass.PatchGridFields;

/** Normalised pixels to rows of patches, on the device. */
final class UnfoldedPatches {
  private static final class UnfoldArguments extends Structure {
    private final Field<Long> pixels = address();
    private final Field<Long> to = address();
    private final Field<PatchGridFields> grid = structure(new PatchGridFields());
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
    a.grid.set(PatchGridFields.of(shape, pictures));
    pass.each("unfold_reals", count, 0, a);
  }
}
