package org.ivit.train.augment;

import org.ivit.core.image.Rgb;

/**
 * torchvision's {@code RandomCrop(size, padding)} of a picture: black borders, then a random window
 * of the picture's own size.
 */
final class PaddedCrop {
  private PaddedCrop() {}

  static Rgb apply(Rgb picture, int padding, KeyedRandom random) {
    int top = random.nextInt(2 * padding + 1) - padding;
    int left = random.nextInt(2 * padding + 1) - padding;
    int width = picture.width();
    byte[] out = new byte[picture.data().length];
    int columns = width - Math.abs(left);
    for (int y = 0; y < picture.height(); y++) {
      int from = y + top;
      if (from >= 0 && from < picture.height() && columns > 0) {
        System.arraycopy(
            picture.data(),
            (from * width + Math.max(0, left)) * 3,
            out,
            (y * width + Math.max(0, -left)) * 3,
            3 * columns);
      }
    }
    return new Rgb(width, picture.height(), out);
  }
}
