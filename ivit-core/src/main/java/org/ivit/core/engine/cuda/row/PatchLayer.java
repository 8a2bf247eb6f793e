package org.ivit.core.engine.cuda.row;

import org.ivit.core.Size;
import org.ivit.core.architecture.Stem;
import org.ivit.core.cuda.Divisor;
import org.ivit.core.cuda.Launch;
import org.ivit.core.cuda.Structure;
import org.ivit.core.engine.cuda.layer.Constants;

/** Cuts pictures into rows of patches. */
public final class PatchLayer {
  private final Stem part;
  private final int stride;
  private final long table;

  private static final class PatchArguments extends Structure {
    private final Field<Long> pixels = address();
    private final Field<Long> table = address();
    private final Field<Long> patches = address();
    private final Field<Divisor> lineDivisor = divisor();
    private final Field<Divisor> columnDivisor = divisor();
    private final Field<Divisor> patchDivisor = divisor();
    private final Field<Divisor> areaDivisor = divisor();
    private final Field<Integer> rows = int32();
    private final Field<Integer> patch = int32();
    private final Field<Integer> lines = int32();
    private final Field<Integer> columns = int32();
    private final Field<Integer> pictureStride = int32();
    private final Field<Integer> channelStride = int32();
    private final Field<Integer> rowStride = int32();
    private final Field<Integer> pixelStride = int32();
    private final Field<Integer> outputStride = int32();
    private final Field<Integer> unused = unused();
  }

  /**
   * @param constants receives the table
   * @param part sizes
   * @param stride bytes of a row
   */
  public PatchLayer(Constants constants, Stem part, int stride) {
    this.part = part;
    this.stride = stride;
    byte[] codes = new byte[3 * 256];
    for (int i = 0; i < codes.length; i++) {
      // The engine's input are codes already: the pixel table of a code is the code.
      codes[i] = (byte) i;
    }
    table = constants.bytes(codes);
  }

  /**
   * From planes of codes, [pictures][3][height][width].
   *
   * @param pictures number of pictures
   * @param codes their address
   * @param patches address of the rows
   */
  public Launch launch(int pictures, long codes, long patches) {
    Size image = part.image();
    Size grid = part.grid();
    int patch = part.patch();
    int rows = Math.multiplyExact(pictures, part.patches());
    PatchArguments a = new PatchArguments();
    a.pixels.set(codes);
    a.table.set(table);
    a.patches.set(patches);
    a.lineDivisor.set(Divisor.of(grid.height()));
    a.columnDivisor.set(Divisor.of(grid.width()));
    a.patchDivisor.set(Divisor.of(patch));
    a.areaDivisor.set(Divisor.of(patch * patch));
    a.rows.set(rows);
    a.patch.set(patch);
    a.lines.set(grid.height());
    a.columns.set(grid.width());
    a.pictureStride.set(part.pixels());
    a.channelStride.set(image.area());
    a.rowStride.set(image.width());
    a.pixelStride.set(1);
    a.outputStride.set(stride);
    return new Launch("unfold_patches", rows, 1, 1, 128, 0, a.bytes());
  }
}
