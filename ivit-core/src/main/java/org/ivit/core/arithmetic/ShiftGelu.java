package org.ivit.core.arithmetic;

import org.ivit.core.InputException;

/**
 * GELU on 8-bit codes in its three forms. Tables of codes are indexed by code + 128. Where a node
 * has outlier channels, their table is made with s·2^k and s_out·2^k' in place of the scales.
 */
public final class ShiftGelu {
  /** Length of a table over 8-bit codes. */
  public static final int SIZE = 256;

  private static final float SIGMOID_FACTOR = 1.702f;

  private ShiftGelu() {}

  /**
   * The constants of form {@code row}, as a checkpoint stores them.
   *
   * @param scale s' = float32(s·1.702f)
   * @param x0 floor(float32(−1/s'))
   * @param n fractional bits of the exponentials
   */
  public record RowConstants(float scale, int x0, int n) {
    /**
     * The constants of a scale.
     *
     * @param s scale of the input codes
     * @throws InputException if the scale is too small
     */
    public static RowConstants of(float s) {
      float scale = s * SIGMOID_FACTOR;
      ShiftExponential exponential = ShiftExponential.gelu(scale);
      return new RowConstants(scale, exponential.x0(), exponential.n());
    }

    /** The integer exponential of these constants. */
    public ShiftExponential exponential() {
      return new ShiftExponential(x0, n);
    }
  }

  /**
   * The sigmoid of 1.702·x with 7 fractional bits: a = E(x−M), c = E(−M), t = min(a + c, 2^31−1), σ
   * = (a·floor((2^31−1)/t)) >> 24.
   *
   * @param a E(x − M), at most 2^31−1
   * @param c E(−M)
   * @return 0 to 127
   */
  static int sigmoid(long a, long c) {
    long t = Math.min(a + c, Integer.MAX_VALUE);
    return (int) ((a * (Integer.MAX_VALUE / t)) >> 24);
  }

  /**
   * The sigmoids of form {@code row}.
   *
   * @param s scale of the input codes
   * @return [256·256] by (M+128)·256 + (x+128), M the row's maximum; 0 where x > M
   */
  public static short[] sigmoidRowTable(float s) {
    return sigmoidRowTable(RowConstants.of(s));
  }

  /** As {@link #sigmoidRowTable(float)} from the constants of a checkpoint. */
  public static short[] sigmoidRowTable(RowConstants constants) {
    ShiftExponential exponential = constants.exponential();
    long[] a = new long[SIZE];
    for (int d = 0; d < SIZE; d++) {
      a[d] = exponential.of(-d);
    }
    short[] table = new short[SIZE * SIZE];
    for (int max = -128; max < 128; max++) {
      long c = exponential.of(-max);
      for (int x = -128; x <= max; x++) {
        table[rowIndex(max, x)] = (short) sigmoid(a[max - x], c);
      }
    }
    return table;
  }

  /** Index of the sigmoid of code {@code x} in a row whose maximum is {@code max}. */
  public static int rowIndex(int max, int x) {
    return (max + 128) * SIZE + (x + 128);
  }

  /**
   * The sigmoids of form {@code element}: M = max(x, 0).
   *
   * @param s scale of the input codes
   * @return [256]
   */
  public static short[] elementSigmoid(float s) {
    ShiftExponential exponential = RowConstants.of(s).exponential();
    short[] table = new short[SIZE];
    for (int x = -128; x < 128; x++) {
      int max = Math.max(x, 0);
      table[x + 128] = (short) sigmoid(exponential.of(x - max), exponential.of(-max));
    }
    return table;
  }

  /** The scale of y = x·σ: float32(s/128). */
  public static float productScale(float s) {
    return s / 128f;
  }

  /** The multiplier from y = x·σ to the output codes, forms {@code row} and {@code element}. */
  public static Dyadic multiplier(float s, float sOut) {
    return Dyadic.of("GELU", Dyadic.ratio(productScale(s), sOut));
  }

  /**
   * The final codes of form {@code element}.
   *
   * @param s scale of the input codes
   * @param sOut scale of the output codes
   * @return [256]
   */
  public static byte[] elementTable(float s, float sOut) {
    short[] sigmoid = elementSigmoid(s);
    Dyadic multiplier = multiplier(s, sOut);
    byte[] table = new byte[SIZE];
    for (int x = -128; x < 128; x++) {
      table[x + 128] = Quantizer.clamp8(multiplier.apply((long) x * sigmoid[x + 128]));
    }
    return table;
  }

  /**
   * The final codes of form {@code exact}: clamp8(rint(f(s·x) / float64(s_out))).
   *
   * @param function f
   * @param s scale of the input codes
   * @param sOut scale of the output codes
   * @return [256]
   */
  public static byte[] exactTable(Activation function, float s, float sOut) {
    byte[] table = new byte[SIZE];
    for (int x = -128; x < 128; x++) {
      double code = Math.rint(exactValue(function, s, x) / (double) sOut);
      table[x + 128] = (byte) Math.max(-128, Math.min(127, code));
    }
    return table;
  }

  /** f(X) in float64, X = float64(s)·code. */
  public static double exactValue(Activation function, float s, int code) {
    return function.value((double) s * code);
  }

  /**
   * One row of form {@code row}: y = x·σ(M, x), requantized to 8 bits.
   *
   * @param x {@code n} codes from {@code offset}
   * @param sigmoid the table of {@link #sigmoidRowTable(float)}
   * @param multiplier of {@link #multiplier}
   * @param out receives {@code n} codes from {@code outOffset}
   */
  public static void row(
      byte[] x, int offset, int n, short[] sigmoid, Dyadic multiplier, byte[] out, int outOffset) {
    int max = rowMax(x, offset, n);
    for (int i = 0; i < n; i++) {
      int code = x[offset + i];
      long y = (long) code * sigmoid[rowIndex(max, code)];
      out[outOffset + i] = Quantizer.clamp8(multiplier.apply(y));
    }
  }

  /** The largest of {@code n} codes from {@code offset}. */
  public static int rowMax(byte[] x, int offset, int n) {
    int max = Byte.MIN_VALUE;
    for (int i = 0; i < n; i++) {
      max = Math.max(max, x[offset + i]);
    }
    return max;
  }
}
