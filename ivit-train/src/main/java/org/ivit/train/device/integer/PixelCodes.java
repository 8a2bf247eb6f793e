package org.ivit.train.device.integer;

import org.ivit.core.architecture.Node;
import org.ivit.core.architecture.Stem;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.cuda.Structure;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.device.pass.PatchGridFields;
import org.ivit.train.operator.SeenRanges;

/** Normalised pixels to rows of 8-bit codes of patches, on the device. */
final class PixelCodes {
  private final Stem shape;
  private float reciprocal;
  private int extremes;

  private static final class PixelArguments extends Structure {
    private final Field<Long> pixels = address();
    private final Field<Long> codes = address();
    private final Field<Long> extremes = address();
    private final Field<PatchGridFields> grid = structure(new PatchGridFields());
    private final Field<Float> reciprocal = float32();
    private final Field<Integer> unused = unused();
  }

  PixelCodes(Stem shape) {
    this.shape = shape;
  }

  void prepare(Pass pass, float scale) {
    reciprocal = Quantizer.reciprocal(scale);
    extremes = pass.extremes();
  }

  /**
   * @param pixels address, [pictures][3][height][width]
   * @param codes receives [pictures·patches][inputs]
   */
  void forward(Pass pass, long pixels, int pictures, long codes) {
    long count = (long) pictures * shape.pixels();
    PixelArguments a = new PixelArguments();
    a.pixels.set(pixels);
    a.codes.set(codes);
    a.extremes.set(pass.observed(extremes));
    a.grid.set(PatchGridFields.of(shape, pictures));
    a.reciprocal.set(reciprocal);
    pass.each("patches_observed", count, Pass.EXTREMES_BYTES, a);
  }

  void seen(Pass pass, SeenRanges seen) {
    pass.include(seen, Node.INPUT.name(), extremes, 1);
  }
}
