package org.ivit.train.augment;

import org.ivit.core.image.Rgb;

/**
 * Pillow's {@code ImageEnhance}, equal in every byte: a blend of the picture with a degenerate one
 * in float32, truncated and, beyond factor 1, clipped. Factor 0 gives the degenerate picture, 1 the
 * picture itself.
 */
final class Enhance {
  private static final float SIDE = 1f / 13;
  private static final float CENTRE = 5f / 13;

  private Enhance() {}

  /** Towards black. */
  static Rgb brightness(Rgb picture, float factor) {
    return ToneCurve.map(picture, value -> blend(0, value, factor));
  }

  /** Towards one grey, the rounded mean of the luminance. */
  static Rgb contrast(Rgb picture, float factor) {
    byte[] data = picture.data();
    long sum = 0;
    for (int i = 0; i < data.length; i += 3) {
      sum += luminance(data, i);
    }
    int mean = (int) (sum / (data.length / 3.0) + 0.5);
    return ToneCurve.map(picture, value -> blend(mean, value, factor));
  }

  /** Towards the picture's luminance: saturation. */
  static Rgb color(Rgb picture, float factor) {
    byte[] data = picture.data();
    byte[] out = new byte[data.length];
    for (int i = 0; i < out.length; i += 3) {
      int grey = luminance(data, i);
      for (int c = i; c < i + 3; c++) {
        out[c] = (byte) blend(grey, data[c] & 0xff, factor);
      }
    }
    return new Rgb(picture.width(), picture.height(), out);
  }

  /** Towards the picture smoothed by 3 × 3, its border as it is. */
  static Rgb sharpness(Rgb picture, float factor) {
    byte[] data = picture.data();
    byte[] out = smooth(picture);
    for (int i = 0; i < out.length; i++) {
      out[i] = (byte) blend(out[i] & 0xff, data[i] & 0xff, factor);
    }
    return new Rgb(picture.width(), picture.height(), out);
  }

  /** Pillow's {@code ImageFilter.SMOOTH}: (1 1 1, 1 5 1, 1 1 1)/13 in float32, rows from below. */
  private static byte[] smooth(Rgb picture) {
    byte[] out = picture.data().clone();
    int length = 3 * picture.width();
    float[][] sides = new float[picture.height()][length];
    float[][] centres = new float[picture.height()][length];
    float[] row = new float[length];
    for (int y = 0; y < picture.height(); y++) {
      for (int i = 0; i < length; i++) {
        row[i] = out[y * length + i] & 0xff;
      }
      weighted(row, SIDE, sides[y]);
      weighted(row, CENTRE, centres[y]);
    }
    for (int y = 1; y < picture.height() - 1; y++) {
      for (int i = 3; i < length - 3; i++) {
        float sum = 0.5f + sides[y + 1][i];
        sum += centres[y][i];
        sum += sides[y - 1][i];
        out[y * length + i] = (byte) (int) Math.max(0f, Math.min(255f, sum));
      }
    }
    return out;
  }

  private static void weighted(float[] row, float centre, float[] sums) {
    for (int i = 3; i < row.length - 3; i++) {
      float left = row[i - 3] * SIDE;
      float middle = row[i] * centre;
      float right = row[i + 3] * SIDE;
      sums[i] = left + middle + right;
    }
  }

  /** ITU-R 601-2 luma in 16-bit fixed point of the pixel at {@code i}. */
  private static int luminance(byte[] data, int i) {
    int sum = (data[i] & 0xff) * 19595 + (data[i + 1] & 0xff) * 38470 + (data[i + 2] & 0xff) * 7471;
    return (sum + 0x8000) >> 16;
  }

  /** Pillow's {@code Image.blend} of bytes: from the degenerate picture's to the picture's. */
  private static int blend(int from, int to, float factor) {
    float value = factor * (to - from);
    value = from + value;
    return (int) Math.max(0f, Math.min(255f, value));
  }
}
