package org.ivit.train.augment;

import java.util.Arrays;
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
    byte[] black = new byte[picture.data().length];
    return blend(picture, black, factor);
  }

  /** Towards one grey, the rounded mean of the luminance. */
  static Rgb contrast(Rgb picture, float factor) {
    byte[] grey = luminance(picture);
    long sum = 0;
    for (int i = 0; i < grey.length; i += 3) {
      sum += grey[i] & 0xff;
    }
    byte mean = (byte) (int) (sum / (grey.length / 3.0) + 0.5);
    Arrays.fill(grey, mean);
    return blend(picture, grey, factor);
  }

  /** Towards the picture's luminance: saturation. */
  static Rgb color(Rgb picture, float factor) {
    return blend(picture, luminance(picture), factor);
  }

  /** Towards the picture smoothed by 3 × 3, its border as it is. */
  static Rgb sharpness(Rgb picture, float factor) {
    return blend(picture, smooth(picture), factor);
  }

  /** Pillow's {@code ImageFilter.SMOOTH}: (1 1 1, 1 5 1, 1 1 1)/13 in float32, rows from below. */
  private static byte[] smooth(Rgb picture) {
    byte[] data = picture.data();
    byte[] out = data.clone();
    int row = 3 * picture.width();
    for (int y = 1; y < picture.height() - 1; y++) {
      for (int i = y * row + 3; i < (y + 1) * row - 3; i++) {
        float sum = 0.5f;
        sum += weighted(data, i + row, SIDE);
        sum += weighted(data, i, CENTRE);
        sum += weighted(data, i - row, SIDE);
        out[i] = (byte) (int) Math.max(0f, Math.min(255f, sum));
      }
    }
    return out;
  }

  private static float weighted(byte[] data, int i, float centre) {
    float left = (data[i - 3] & 0xff) * SIDE;
    float middle = (data[i] & 0xff) * centre;
    float right = (data[i + 3] & 0xff) * SIDE;
    return left + middle + right;
  }

  /** ITU-R 601-2 luma in 16-bit fixed point, in all three channels. */
  private static byte[] luminance(Rgb picture) {
    byte[] data = picture.data();
    byte[] out = new byte[data.length];
    for (int i = 0; i < out.length; i += 3) {
      int sum =
          (data[i] & 0xff) * 19595 + (data[i + 1] & 0xff) * 38470 + (data[i + 2] & 0xff) * 7471;
      byte value = (byte) ((sum + 0x8000) >> 16);
      out[i] = value;
      out[i + 1] = value;
      out[i + 2] = value;
    }
    return out;
  }

  /** Pillow's {@code Image.blend(degenerate, picture, factor)}; reuses the degenerate's memory. */
  private static Rgb blend(Rgb picture, byte[] degenerate, float factor) {
    byte[] data = picture.data();
    for (int i = 0; i < degenerate.length; i++) {
      int from = degenerate[i] & 0xff;
      float value = factor * ((data[i] & 0xff) - from);
      value = from + value;
      degenerate[i] = (byte) (int) Math.max(0f, Math.min(255f, value));
    }
    return new Rgb(picture.width(), picture.height(), degenerate);
  }
}
