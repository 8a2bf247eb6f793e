package org.ivit.core.engine.portable;

import org.ivit.core.arithmetic.ILayerNorm;

/** I-LayerNorm of rows of codes. */
final class NormKernel {
  private final int channels;
  private final long[] multiplier;
  private final long[] offset;
  private final int shift;
  private final long epsilon;

  NormKernel(ILayerNorm.Constants constants) {
    channels = constants.multiplier().length;
    shift = constants.shift();
    epsilon = constants.epsilon();
    multiplier = new long[channels];
    offset = new long[channels];
    for (int c = 0; c < channels; c++) {
      multiplier[c] = constants.multiplier()[c];
      offset[c] = constants.offset()[c] + (1L << (shift - 1));
    }
  }

  /**
   * @param x a row of codes from {@code at}
   * @param out receives the row from {@code outAt}
   */
  void row(short[] x, int at, byte[] out, int outAt) {
    int mean = mean(x, at);
    long factor = factor(x, at, mean);
    for (int c = 0; c < channels; c++) {
      long y = ((x[at + c] - mean) * factor) >> 1;
      long v = (y * multiplier[c] + offset[c]) >> shift;
      out[outAt + c] = (byte) Math.max(Byte.MIN_VALUE, Math.min(Byte.MAX_VALUE, v));
    }
  }

  /** As {@link #row(short[], int, byte[], int)}, to 16-bit codes. */
  void row(short[] x, int at, short[] out, int outAt) {
    int mean = mean(x, at);
    long factor = factor(x, at, mean);
    for (int c = 0; c < channels; c++) {
      long y = ((x[at + c] - mean) * factor) >> 1;
      long v = (y * multiplier[c] + offset[c]) >> shift;
      out[outAt + c] = (short) Math.max(Short.MIN_VALUE, Math.min(Short.MAX_VALUE, v));
    }
  }

  private int mean(short[] x, int at) {
    long sum = 0;
    for (int c = 0; c < channels; c++) {
      sum += x[at + c];
    }
    return ILayerNorm.mean(sum, channels);
  }

  private long factor(short[] x, int at, int mean) {
    long squares = epsilon;
    for (int c = 0; c < channels; c++) {
      int y = x[at + c] - mean;
      squares += (long) y * y;
    }
    return Integer.MAX_VALUE / Math.max(1, ILayerNorm.isqrt(squares));
  }
}
