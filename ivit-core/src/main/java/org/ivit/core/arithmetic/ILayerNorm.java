package org.ivit.core.arithmetic;

import org.ivit.core.InputException;

/** LayerNorm on integer codes with an exact integer square root. */
public final class ILayerNorm {
  private static final long NUMERATOR = Integer.MAX_VALUE;

  private ILayerNorm() {}

  /**
   * What turns y' into output codes: clamp((y'·m[c] + B[c] + 2^(e−1)) >> e). The arrays are not
   * copied.
   *
   * @param multiplier m [channels]
   * @param offset B [channels], below 2^61 in absolute value
   * @param shift e, 1 to 62
   * @param epsilon E, added to Σy² before the root; 0 to 2^60, 0 for nothing
   */
  public record Constants(int[] multiplier, long[] offset, int shift, long epsilon) {
    /** Without an epsilon; parameters as those of the record. */
    public Constants(int[] multiplier, long[] offset, int shift) {
      this(multiplier, offset, shift, 0);
    }

    /**
     * Checks what a file may have held.
     *
     * @throws InputException if the lengths differ or a member is out of range
     */
    public Constants {
      if (multiplier.length != offset.length) {
        throw new InputException(
            "LayerNorm: " + multiplier.length + " multipliers, " + offset.length + " offsets");
      }
      if (shift < 1 || shift > Dyadic.MAX_SHIFT) {
        throw new InputException("LayerNorm: shift " + shift + ", expected 1 to 62");
      }
      if (epsilon < 0 || epsilon > MAX_EPSILON) {
        throw new InputException("LayerNorm: epsilon " + epsilon + ", expected 0 to 2^60");
      }
      for (int c = 0; c < multiplier.length; c++) {
        if (multiplier[c] == Integer.MIN_VALUE
            || offset[c] <= -MAX_OFFSET
            || offset[c] >= MAX_OFFSET) {
          throw new InputException(
              "LayerNorm: multiplier "
                  + multiplier[c]
                  + " and offset "
                  + offset[c]
                  + " in channel "
                  + c
                  + ", expected below 2^31 and 2^61 in absolute value");
        }
      }
    }

    private static final long MAX_OFFSET = 1L << 61;
    private static final long MAX_EPSILON = 1L << 60;
  }

  /**
   * The constants of a layer: g[c] = γ[c]·√C/2^30/s_out and h[c] = β[c]/s_out in float64; e the
   * largest ≤ 62 with all |rint(g·2^e)| &lt; 2^31 and |h|·2^e &lt; 2^61; m = rint(g·2^e), B =
   * rint(h·2^e). For an outlier channel g and h are divided by 2^k.
   *
   * @param name the node, for messages: its tensors are {@code name.weight} and {@code name.bias}
   * @param gamma γ [channels]
   * @param beta β [channels]
   * @param epsilon E
   * @param outScale s_out
   * @param out the node's own outlier channels
   * @throws InputException if a parameter is not finite or no e ≥ 1 holds
   */
  public static Constants constants(
      String name, float[] gamma, float[] beta, long epsilon, float outScale, OutlierChannels out) {
    int channels = gamma.length;
    if (beta.length != channels) {
      throw new InputException(name + ".bias: " + beta.length + " elements, expected " + channels);
    }
    if (!(outScale > 0) || Float.isInfinite(outScale)) {
      throw new InputException(name + ": scale " + outScale + ", expected a positive finite value");
    }
    Bounds.requireChannels(name, out, channels);
    double[] g = new double[channels];
    double[] h = new double[channels];
    double largestG = 0;
    double largestH = 0;
    double root = Math.sqrt(channels);
    for (int c = 0; c < channels; c++) {
      Quantizer.requireFinite(name + ".weight", c, gamma[c]);
      Quantizer.requireFinite(name + ".bias", c, beta[c]);
      g[c] = (double) gamma[c] * root / 0x1p30 / (double) outScale;
      h[c] = (double) beta[c] / (double) outScale;
      if (out.contains(c)) {
        g[c] /= out.factor();
        h[c] /= out.factor();
      }
      largestG = Math.max(largestG, Math.abs(g[c]));
      largestH = Math.max(largestH, Math.abs(h[c]));
    }
    int shift = Dyadic.MAX_SHIFT;
    while (shift >= 1
        && (Math.rint(Math.scalb(largestG, shift)) >= 0x1p31
            || Math.scalb(largestH, shift) >= 0x1p61)) {
      shift--;
    }
    if (shift < 1) {
      throw new InputException(
          name + ": refused, its weight or bias is too large for the scale " + outScale);
    }
    int[] multiplier = new int[channels];
    long[] offset = new long[channels];
    for (int c = 0; c < channels; c++) {
      multiplier[c] = (int) Math.rint(Math.scalb(g[c], shift));
      offset[c] = (long) Math.rint(Math.scalb(h[c], shift));
    }
    return new Constants(multiplier, offset, shift, epsilon);
  }

  /**
   * The epsilon of the float model in codes: E = rint(C·ε/s²) in float64, so that Σy² + E is C
   * times variance plus epsilon, in squares of codes.
   *
   * @param name the node, for the message
   * @param epsilon ε of the float model
   * @param channels C
   * @param inputScale s of the codes that are normed
   * @throws InputException if it exceeds 2^60
   */
  public static long epsilon(String name, double epsilon, int channels, float inputScale) {
    double scaled = Math.rint(channels * epsilon / ((double) inputScale * inputScale));
    if (!(scaled <= 0x1p60)) {
      throw new InputException(
          "%s: an epsilon of %s is %s squares of the input's scale %s, expected at most 2^60"
              .formatted(name, epsilon, scaled, inputScale));
    }
    return (long) scaled;
  }

  /**
   * The exact floor of the square root, by Newton's method from above on integers: the iterates
   * fall until they reach it, so the first that does not fall ends.
   *
   * @param v 0 or more
   */
  public static long isqrt(long v) {
    if (v < 0) {
      throw new IllegalArgumentException("isqrt of " + v + ", expected 0 or more");
    }
    if (v == 0) {
      return 0;
    }
    int bits = 64 - Long.numberOfLeadingZeros(v);
    long x = 1L << ((bits + 1) / 2);
    while (true) {
      long next = (x + v / x) >> 1;
      if (next >= x) {
        return x;
      }
      x = next;
    }
  }

  /**
   * The mean of a row, rounded to an integer with ties up: floor((2·Σx + C) / (2C)).
   *
   * @param sum Σx
   */
  public static int mean(long sum, int channels) {
    return (int) Math.floorDiv(2 * sum + channels, 2L * channels);
  }

  /**
   * The normalised values y' of a row of 16-bit codes: normalised value = y'·√C/2^30, |y'| ≤ 2^30.
   *
   * @param x {@code channels} codes from {@code offset}
   * @param epsilon E
   * @param y receives y' at 0 to {@code channels}−1
   * @return std = max(1, isqrt(Σ(x − mean)² + E))
   */
  public static int normalise(short[] x, int offset, int channels, long epsilon, int[] y) {
    for (int c = 0; c < channels; c++) {
      y[c] = x[offset + c];
    }
    return normalise(channels, epsilon, y);
  }

  /** As {@link #normalise(short[], int, int, long, int[])} for 8-bit codes. */
  public static int normalise(byte[] x, int offset, int channels, long epsilon, int[] y) {
    for (int c = 0; c < channels; c++) {
      y[c] = x[offset + c];
    }
    return normalise(channels, epsilon, y);
  }

  private static int normalise(int channels, long epsilon, int[] y) {
    long sum = 0;
    for (int c = 0; c < channels; c++) {
      sum += y[c];
    }
    int mean = mean(sum, channels);
    long squares = 0;
    for (int c = 0; c < channels; c++) {
      y[c] -= mean;
      squares += (long) y[c] * y[c];
    }
    long std = Math.max(1, isqrt(squares + epsilon));
    long factor = NUMERATOR / std;
    for (int c = 0; c < channels; c++) {
      y[c] = (int) ((y[c] * factor) >> 1);
    }
    return (int) std;
  }

  /**
   * One output code before its clamp: (y'·m + B + 2^(e−1)) >> e.
   *
   * @param y y', at most 2^30 in absolute value
   * @param c the channel
   */
  public static long output(int y, Constants constants, int c) {
    int e = constants.shift();
    return ((long) y * constants.multiplier()[c] + constants.offset()[c] + (1L << (e - 1))) >> e;
  }

  /** The factor γ·√C/2^30 by which a range's observer turns y' into a value, in float64. */
  public static double valueFactor(float gamma, int channels) {
    return (double) gamma * Math.sqrt(channels) / 0x1p30;
  }

  /**
   * One row of 16-bit codes, clamped to {@code bits} bits.
   *
   * @param x {@code channels} codes from {@code offset}
   * @param bits of the output, at most 8
   * @param out receives {@code channels} codes from {@code outOffset}
   */
  public static void row(
      short[] x, int offset, int channels, Constants c, int bits, byte[] out, int outOffset) {
    int[] y = new int[channels];
    normalise(x, offset, channels, c.epsilon(), y);
    for (int i = 0; i < channels; i++) {
      out[outOffset + i] = (byte) Quantizer.clamp(output(y[i], c, i), bits);
    }
  }

  /**
   * As {@link #row(short[], int, int, Constants, int, byte[], int)}, at most 16 bits.
   *
   * @param bits of the output, at most 16
   */
  public static void row(
      short[] x, int offset, int channels, Constants c, int bits, short[] out, int outOffset) {
    int[] y = new int[channels];
    normalise(x, offset, channels, c.epsilon(), y);
    for (int i = 0; i < channels; i++) {
      out[outOffset + i] = (short) Quantizer.clamp(output(y[i], c, i), bits);
    }
  }

  /** As {@link #row(short[], int, int, Constants, int, short[], int)} from 8-bit codes. */
  public static void row(
      byte[] x, int offset, int channels, Constants c, int bits, short[] out, int outOffset) {
    int[] y = new int[channels];
    normalise(x, offset, channels, c.epsilon(), y);
    for (int i = 0; i < channels; i++) {
      out[outOffset + i] = (short) Quantizer.clamp(output(y[i], c, i), bits);
    }
  }
}
