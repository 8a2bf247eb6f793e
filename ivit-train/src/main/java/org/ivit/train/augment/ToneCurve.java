package org.ivit.train.augment;

import java.util.function.IntUnaryOperator;
import org.ivit.core.image.Rgb;

/** Pillow's {@code ImageOps} that map each value by a table, equal in every byte. */
final class ToneCurve {
  private ToneCurve() {}

  /** Stretches each channel to 0…255; a channel of one value stays. */
  static Rgb autoContrast(Rgb picture) {
    int[][] tables = new int[3][];
    for (int c = 0; c < 3; c++) {
      int[] histogram = histogram(picture, c);
      int low = 0;
      while (histogram[low] == 0) {
        low++;
      }
      int high = 255;
      while (histogram[high] == 0) {
        high--;
      }
      tables[c] = low == high ? table(v -> v) : stretch(low, high);
    }
    return map(picture, tables);
  }

  private static int[] stretch(int low, int high) {
    double scale = 255.0 / (high - low);
    double offset = -low * scale;
    return table(v -> (int) (v * scale + offset));
  }

  /** Spreads each channel's values evenly; a channel of too few values stays. */
  static Rgb equalize(Rgb picture) {
    int[][] tables = new int[3][];
    for (int c = 0; c < 3; c++) {
      tables[c] = evenly(histogram(picture, c), picture.width() * picture.height());
    }
    return map(picture, tables);
  }

  private static int[] evenly(int[] histogram, int pixels) {
    int last = 255;
    while (histogram[last] == 0) {
      last--;
    }
    int step = (pixels - histogram[last]) / 255;
    if (step == 0) {
      return table(v -> v);
    }
    int[] table = new int[256];
    int sum = step / 2;
    for (int v = 0; v < 256; v++) {
      table[v] = clip(sum / step);
      sum += histogram[v];
    }
    return table;
  }

  static Rgb invert(Rgb picture) {
    return map(picture, v -> 255 - v);
  }

  /** Keeps the leading bits of each value, 0 to 8. */
  static Rgb posterize(Rgb picture, int bits) {
    int mask = -1 << (8 - bits);
    return map(picture, v -> v & mask);
  }

  /** Inverts values from a threshold on, 0 to 256. */
  static Rgb solarize(Rgb picture, int threshold) {
    return map(picture, v -> v < threshold ? v : 255 - v);
  }

  /** timm's {@code solarize_add}: brightens values below 128. */
  static Rgb solarizeAdd(Rgb picture, int add) {
    return map(picture, v -> v < 128 ? v + add : v);
  }

  private static int[] histogram(Rgb picture, int channel) {
    int[] histogram = new int[256];
    byte[] data = picture.data();
    for (int i = channel; i < data.length; i += 3) {
      histogram[data[i] & 0xff]++;
    }
    return histogram;
  }

  private static int[] table(IntUnaryOperator curve) {
    int[] table = new int[256];
    for (int v = 0; v < 256; v++) {
      table[v] = clip(curve.applyAsInt(v));
    }
    return table;
  }

  private static int clip(int value) {
    return Math.max(0, Math.min(255, value));
  }

  /** Maps all three channels by values that are clipped to bytes. */
  static Rgb map(Rgb picture, IntUnaryOperator curve) {
    int[] table = table(curve);
    return map(picture, new int[][] {table, table, table});
  }

  private static Rgb map(Rgb picture, int[][] tables) {
    byte[] data = picture.data();
    byte[] out = new byte[data.length];
    for (int c = 0; c < 3; c++) {
      int[] table = tables[c];
      for (int i = c; i < data.length; i += 3) {
        out[i] = (byte) table[data[i] & 0xff];
      }
    }
    return new Rgb(picture.width(), picture.height(), out);
  }
}
