package org.ivit.core.engine.portable.product;

import org.ivit.core.arithmetic.DyadicVector;

/**
 * From accumulators to codes, one dyadic multiplier a channel: (acc + bias)·m + 2^(e−1) is acc·m
 * plus a constant of the channel. Sums wrap in between, the result does not ({@code
 * docs/arithmetic.md#requantization}, {@code
 * docs/arithmetic.md#linear-layers-and-matrix-products}).
 */
public final class Requantizer {
  /** From this shift on the result of a 32-bit accumulator fits 32 bits. */
  private static final int NARROW = 31;

  private final long[] multiplier;
  private final long[] offset;
  private final int[] shift;
  private final boolean narrow;

  /**
   * @param multipliers of the channels
   * @param bias of the accumulators, [channels], or null for zeros
   */
  public Requantizer(DyadicVector multipliers, int[] bias) {
    int channels = multipliers.size();
    multiplier = new long[channels];
    offset = new long[channels];
    shift = new int[channels];
    boolean all = true;
    for (int c = 0; c < channels; c++) {
      multiplier[c] = multipliers.multiplier()[c];
      shift[c] = multipliers.shift()[c];
      offset[c] = (bias == null ? 0 : bias[c] * multiplier[c]) + (1L << (shift[c] - 1));
      all &= shift[c] >= NARROW;
    }
    narrow = all;
  }

  /**
   * A piece of a row, clamped to 8 bits. Parameters as {@link
   * org.ivit.core.engine.portable.product.RowSink#row}.
   */
  public void to8(int column, int n, float[] last, int[] before, byte[] out, int at) {
    if (before != null || !narrow) {
      for (int j = 0; j < n; j++) {
        long v = value(column + j, (int) last[j] + (before == null ? 0 : before[j]));
        out[at + j] = (byte) Math.max(Byte.MIN_VALUE, Math.min(Byte.MAX_VALUE, v));
      }
      return;
    }
    for (int j = 0; j < n; j++) {
      int c = column + j;
      int v = (int) ((((long) last[j]) * multiplier[c] + offset[c]) >> shift[c]);
      out[at + j] = (byte) Math.max(Byte.MIN_VALUE, Math.min(Byte.MAX_VALUE, v));
    }
  }

  /** A piece of a row, clamped to 16 bits. */
  public void to16(int column, int n, float[] last, int[] before, short[] out, int at) {
    if (before != null || !narrow) {
      for (int j = 0; j < n; j++) {
        long v = value(column + j, (int) last[j] + (before == null ? 0 : before[j]));
        out[at + j] = (short) Math.max(Short.MIN_VALUE, Math.min(Short.MAX_VALUE, v));
      }
      return;
    }
    for (int j = 0; j < n; j++) {
      int c = column + j;
      int v = (int) ((((long) last[j]) * multiplier[c] + offset[c]) >> shift[c]);
      out[at + j] = (short) Math.max(Short.MIN_VALUE, Math.min(Short.MAX_VALUE, v));
    }
  }

  /** A piece of a row of logits, which are proved to fit 32 bits. */
  public void to32(int column, int n, float[] last, int[] before, int[] out, int at) {
    for (int j = 0; j < n; j++) {
      out[at + j] = (int) value(column + j, (int) last[j] + (before == null ? 0 : before[j]));
    }
  }

  /** All accumulators of one channel, clamped to 8 bits and spread {@code stride} apart. */
  public void columnTo8(int channel, int n, float[] acc, byte[] out, int at, int stride) {
    long m = multiplier[channel];
    long o = offset[channel];
    int e = shift[channel];
    for (int i = 0; i < n; i++) {
      long v = (((long) acc[i]) * m + o) >> e;
      out[at + i * stride] = (byte) Math.max(Byte.MIN_VALUE, Math.min(Byte.MAX_VALUE, v));
    }
  }

  private long value(int channel, int acc) {
    return (acc * multiplier[channel] + offset[channel]) >> shift[channel];
  }
}
