package org.ivit.core.image;

import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.Raster;

/** Pictures of Java's own libraries as RGB. */
public final class BufferedImages {
  private BufferedImages() {}

  /**
   * The colours of a picture without its alpha. Grey samples are taken as they are, the upper byte
   * of wider ones: Java's own conversion would brighten them, because it takes them for linear
   * light.
   *
   * @param picture of any type
   */
  public static Rgb rgb(BufferedImage picture) {
    int width = picture.getWidth();
    int height = picture.getHeight();
    byte[] out = new byte[Math.multiplyExact(3, Math.multiplyExact(width, height))];
    if (picture.getColorModel().getColorSpace().getType() == ColorSpace.TYPE_GRAY) {
      grey(picture, out);
    } else {
      int[] row = new int[width];
      for (int y = 0; y < height; y++) {
        picture.getRGB(0, y, width, 1, row, 0, width);
        int to = 3 * y * width;
        for (int colour : row) {
          out[to++] = (byte) (colour >> 16);
          out[to++] = (byte) (colour >> 8);
          out[to++] = (byte) colour;
        }
      }
    }
    return new Rgb(width, height, out);
  }

  private static void grey(BufferedImage picture, byte[] out) {
    Raster raster = picture.getRaster();
    int bits = picture.getSampleModel().getSampleSize(0);
    int[] row = new int[picture.getWidth()];
    int to = 0;
    for (int y = 0; y < picture.getHeight(); y++) {
      raster.getSamples(0, y, row.length, 1, 0, row);
      for (int sample : row) {
        byte value = (byte) (bits <= 8 ? sample * 255 / ((1 << bits) - 1) : sample >> (bits - 8));
        out[to++] = value;
        out[to++] = value;
        out[to++] = value;
      }
    }
  }
}
