package org.ivit.train.device.pass;

import org.ivit.core.architecture.Stem;
import org.ivit.core.cuda.Divisor;
import org.ivit.core.cuda.Structure;

/** Pixels of pictures, and rows of patches, as a kernel takes them. */
public final class PatchGridFields extends Structure {
  private final Field<Long> planes = int64();
  private final Field<Divisor> ofArea = divisor();
  private final Field<Divisor> ofWidth = divisor();
  private final Field<Divisor> ofPatch = divisor();
  private final Field<Integer> height = int32();
  private final Field<Integer> width = int32();
  private final Field<Integer> patch = int32();
  private final Field<Integer> unused = unused();

  /** Those of the pictures that a stem takes. */
  public static PatchGridFields of(Stem shape, int pictures) {
    int height = shape.image().height();
    int width = shape.image().width();
    PatchGridFields grid = new PatchGridFields();
    grid.planes.set(3L * pictures);
    grid.ofArea.set(Divisor.of(Math.multiplyExact(height, width)));
    grid.ofWidth.set(Divisor.of(width));
    grid.ofPatch.set(Divisor.of(shape.patch()));
    grid.height.set(height);
    grid.width.set(width);
    grid.patch.set(shape.patch());
    return grid;
  }
}
