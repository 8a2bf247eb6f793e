package org.ivit.core.engine.cuda;

import org.ivit.core.architecture.Stem;
import org.ivit.core.cuda.Arguments;
import org.ivit.core.cuda.Divisor;
import org.ivit.core.cuda.Launch;

/** Cuts pictures into rows of patches. */
final class PatchLayer {
  private final Stem part;
  private final int stride;
  private final long table;

  /**
   * @param constants receives the table
   * @param part sizes
   * @param stride bytes of a row
   */
  PatchLayer(Constants constants, Stem part, int stride) {
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
   * From planes of codes, [pictures][3][image][image].
   *
   * @param pictures number of pictures
   * @param codes their address
   * @param patches address of the rows
   */
  Launch launch(int pictures, long codes, long patches) {
    int image = part.image();
    int patch = part.patch();
    int rows = Math.multiplyExact(pictures, part.patches());
    return new Launch(
        "unfold_patches",
        rows,
        1,
        1,
        128,
        0,
        new Arguments()
            .address(codes)
            .address(table)
            .address(patches)
            .divisor(Divisor.of(part.grid()))
            .divisor(Divisor.of(patch))
            .divisor(Divisor.of(patch * patch))
            .ints(rows, image, patch, part.grid(), image * image, image, 1, stride)
            .bytes());
  }
}
