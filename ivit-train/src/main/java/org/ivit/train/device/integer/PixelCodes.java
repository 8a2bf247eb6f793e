package org.ivit.train.device.integer;

import org.ivit.core.architecture.Node;
import org.ivit.core.architecture.Stem;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.cuda.Arguments;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.operator.SeenRanges;

/** Normalised pixels to rows of 8-bit codes of patches, on the device. */
final class PixelCodes {
  private final Stem shape;
  private float reciprocal;
  private int extremes;

  PixelCodes(Stem shape) {
    this.shape = shape;
  }

  void prepare(Pass pass, float scale) {
    reciprocal = Quantizer.reciprocal(scale);
    extremes = pass.extremes();
  }

  /**
   * @param pixels address, [pictures][3][image][image]
   * @param codes receives [pictures·patches][inputs]
   */
  void forward(Pass pass, long pixels, int pictures, long codes) {
    long count = (long) pictures * shape.pixels();
    pass.each(
        "patches_observed",
        count,
        0,
        new Arguments()
            .address(pixels)
            .address(codes)
            .address(pass.observed(extremes))
            .longs(count)
            .ints(shape.image(), shape.patch())
            .floats(reciprocal)
            .ints(0));
  }

  void seen(Pass pass, SeenRanges seen) {
    seen.include(
        Node.INPUT.name(),
        Pass.unordered(pass.observed.longAt(extremes, 0)),
        Pass.unordered(pass.observed.longAt(extremes, 1)));
  }
}
