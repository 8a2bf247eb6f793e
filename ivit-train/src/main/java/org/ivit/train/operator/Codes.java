package org.ivit.train.operator;

import org.ivit.core.arithmetic.OutlierChannels;

/** Codes between integers and the numbers that hold them. */
final class Codes {
  private static final int BLOCK = 1024;

  private Codes() {}

  /**
   * Recovers 16-bit codes from dequantized numbers, {@code rint(x/s)}: exact, because s·code is at
   * most a rounding away and codes lie s apart.
   */
  static void recover(Reals x, int from, float scale, short[] out, int n, Buffers buffers) {
    double[] row = buffers.doubles("codes", BLOCK);
    for (int at = 0; at < n; at += BLOCK) {
      int part = Math.min(BLOCK, n - at);
      x.get(from + at, row, 0, part);
      for (int i = 0; i < part; i++) {
        out[at + i] = (short) Math.rint(row[i] / scale);
      }
    }
  }

  /** Stores {@code scale·code}. */
  static void dequantize(short[] codes, int n, float scale, Reals y, int at, Buffers buffers) {
    double[] row = buffers.doubles("codes", BLOCK);
    for (int done = 0; done < n; done += BLOCK) {
      int part = Math.min(BLOCK, n - done);
      for (int i = 0; i < part; i++) {
        row[i] = codes[done + i] * (double) scale;
      }
      y.put(at + done, row, 0, part);
    }
  }

  /** Stores codes as numbers, those of outlier channels times 2^k. */
  static void widen(byte[] codes, int rows, int channels, OutlierChannels outliers, Reals y) {
    y.put(0, codes, 0, rows * channels);
    for (int c : outliers.channels()) {
      for (int r = 0; r < rows; r++) {
        int i = r * channels + c;
        y.put(i, (double) (codes[i] << outliers.shift()));
      }
    }
  }
}
