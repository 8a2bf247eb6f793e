package org.ivit.core.engine.portable;

import org.ivit.core.architecture.Architecture;

/** Classifies one picture of a batch; used by several threads at once. */
interface PictureForward {
  /**
   * @param codes of the batch, [pictures][3][image][image]
   * @param index of the picture
   * @param logits of the batch, [pictures][classes]
   */
  void run(byte[] codes, int index, int[] logits);

  /** Lets go of all buffers. */
  void clear();

  /**
   * Cuts patches out of a picture.
   *
   * @param first number of the first patch
   * @param count number of patches
   * @param out receives rows of (channel, row, column)
   */
  static void unfold(Architecture a, byte[] codes, int index, int first, int count, byte[] out) {
    int image = a.image();
    int patch = a.patch();
    int grid = image / patch;
    int to = 0;
    for (int p = first; p < first + count; p++) {
      int corner = p / grid * patch * image + p % grid * patch;
      for (int c = 0; c < 3; c++) {
        int plane = (index * 3 + c) * image * image + corner;
        for (int y = 0; y < patch; y++) {
          System.arraycopy(codes, plane + y * image, out, to, patch);
          to += patch;
        }
      }
    }
  }
}
