package org.ivit.core.arithmetic;

/**
 * x·σ(x), the gate of SwiGLU, as a table of 16-bit codes ({@code docs/arithmetic.md#swiglu}). Its
 * exponential is {@code StrictMath}'s, so the bits are the same on every machine.
 */
public final class Silu {
  private static final int SIZE = 256;

  private Silu() {}

  /** The function's value, float64. */
  public static double value(double x) {
    return x / (1 + StrictMath.exp(-x));
  }

  /** Its derivative, float64. */
  public static double derivative(double x) {
    double sigmoid = 1 / (1 + StrictMath.exp(-x));
    return sigmoid * (1 + x * (1 - sigmoid));
  }

  /**
   * @param inputScale scale of the 8-bit codes
   * @return value of one step of the table's codes: 32767 of them make the largest absolute value
   */
  public static float tableScale(float inputScale) {
    double largest = 0;
    for (int code = -128; code < 128; code++) {
      largest = Math.max(largest, Math.abs(value((double) inputScale * code)));
    }
    return Math.max((float) (largest / Short.MAX_VALUE), Quantizer.MIN_SCALE);
  }

  /**
   * @param inputScale scale of the 8-bit codes
   * @return 16-bit codes of scale {@link #tableScale}, index = input code + 128
   */
  public static short[] table(float inputScale) {
    double scale = tableScale(inputScale);
    short[] table = new short[SIZE];
    for (int i = 0; i < SIZE; i++) {
      table[i] = (short) Math.rint(value((double) inputScale * (i - 128)) / scale);
    }
    return table;
  }
}
