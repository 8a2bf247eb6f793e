package org.ivit.train.operator.integer;

import java.util.Objects;
import org.ivit.core.InputException;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.NativeRows;
import org.ivit.train.memory.Reals;

/** Codes between integers and the numbers that hold them. */
public final class Codes {
  private static final int BLOCK = 1024;

  private Codes() {}

  /**
   * Quantizes numbers ({@code docs/arithmetic.md#from-float-to-codes}), each rounded to float32
   * first.
   *
   * @param node name, for messages
   * @param bits of the codes, at most 16
   * @throws InputException naming the node, if a number is NaN or infinite
   */
  public static void quantize(
      String node, Reals x, int from, float scale, int bits, short[] out, int n, Buffers buffers) {
    float reciprocal = Quantizer.reciprocal(scale);
    float[] row = buffers.floats("codes", BLOCK);
    for (int at = 0; at < n; at += BLOCK) {
      int part = Math.min(BLOCK, n - at);
      x.get(from + at, row, 0, part);
      for (int i = 0; i < part; i++) {
        if (!Float.isFinite(row[i])) {
          throw new InputException(node + ": found " + row[i] + ", expected a finite value");
        }
        out[at + i] = (short) Quantizer.code(row[i], reciprocal, bits);
      }
    }
  }

  /** Copies 8-bit codes out of 16-bit memory. */
  public static void narrow(short[] codes, byte[] out, int n) {
    for (int i = 0; i < n; i++) {
      out[i] = (byte) codes[i];
    }
  }

  /** Copies 8-bit codes into 16-bit memory. */
  public static void widen(byte[] codes, short[] out, int n) {
    for (int i = 0; i < n; i++) {
      out[i] = codes[i];
    }
  }

  /**
   * Recovers 16-bit codes from dequantized numbers, {@code rint(x/s)}: exact, because s·code is at
   * most a rounding away and codes lie s apart.
   */
  static void recover(Reals x, int from, float scale, short[] out, int n, Buffers buffers) {
    if (NativeRows.serves(x)) {
      Objects.checkFromIndexSize(0, n, out.length);
      NativeRows.recover(NativeRows.address(x, from, n), scale, out, n);
      return;
    }
    double[] row = buffers.doubles("codes", BLOCK);
    for (int at = 0; at < n; at += BLOCK) {
      int part = Math.min(BLOCK, n - at);
      x.get(from + at, row, 0, part);
      for (int i = 0; i < part; i++) {
        out[at + i] = (short) Math.rint(row[i] / scale);
      }
    }
  }

  /**
   * {@link #recover} of a run of numbers of each picture.
   *
   * @param x the first picture's run from {@code from} on, the others' {@code stride} apart
   * @param out receives [pictures][length]
   */
  static void recoverRuns(
      Reals x,
      int from,
      int stride,
      float scale,
      short[] out,
      int length,
      int pictures,
      Buffers buffers) {
    if (stride == length) {
      recover(x, from, scale, out, pictures * length, buffers);
      return;
    }
    short[] run = buffers.shorts("codes.run", length);
    for (int i = 0; i < pictures; i++) {
      recover(x, from + i * stride, scale, run, length, buffers);
      System.arraycopy(run, 0, out, i * length, length);
    }
  }

  /** Stores {@code scale·code}. */
  public static void dequantize(
      short[] codes, int n, float scale, Reals y, int at, Buffers buffers) {
    if (NativeRows.serves(y)) {
      Objects.checkFromIndexSize(0, n, codes.length);
      NativeRows.dequantize(codes, scale, NativeRows.address(y, at, n), n);
      return;
    }
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
  public static void widen(
      byte[] codes, int rows, int channels, OutlierChannels outliers, Reals y) {
    if (NativeRows.serves(y)) {
      int n = rows * channels;
      Objects.checkFromIndexSize(0, n, codes.length);
      NativeRows.widen(
          codes,
          rows,
          channels,
          outliers.channels(),
          outliers.shift(),
          NativeRows.address(y, 0, n));
      return;
    }
    y.put(0, codes, 0, rows * channels);
    for (int c : outliers.channels()) {
      for (int r = 0; r < rows; r++) {
        int i = r * channels + c;
        y.put(i, (double) (codes[i] << outliers.shift()));
      }
    }
  }
}
