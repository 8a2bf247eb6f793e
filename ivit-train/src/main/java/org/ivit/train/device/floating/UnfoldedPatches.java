package org.ivit.train.device.floating;

import org.ivit.core.architecture.Stem;
import org.ivit.core.cuda.Arguments;
import org.ivit.train.device.pass.Pass;

/** Normalised pixels to rows of patches, on the device. */
final class UnfoldedPatches {
  private UnfoldedPatches() {}

  /**
   * @param pixels address, [pictures][3][image][image]
   * @param rows receives [pictures·patches][inputs]
   */
  static void forward(Pass pass, Stem shape, long pixels, int pictures, long rows) {
    long count = (long) pictures * shape.pixels();
    pass.each(
        "unfold_reals",
        count,
        0,
        new Arguments()
            .address(pixels)
            .address(rows)
            .longs(count)
            .ints(shape.image(), shape.patch()));
  }
}
