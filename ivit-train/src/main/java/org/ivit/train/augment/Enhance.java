package org.ivit.train.augment;

import java.util.Arrays;
import org.ivit.core.image.Rgb;

/**
 * Pillow's {@code ImageEnhance}, equal in every byte: a blend of the picture with a degenerate one
 * in float32, truncated and, beyond factor 1, clipped. Factor 0 gives the degenerate picture, 1 the
 * picture itself.
 */
final class Enhance {
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
