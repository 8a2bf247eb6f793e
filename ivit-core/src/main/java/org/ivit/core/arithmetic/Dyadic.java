package org.ivit.core.arithmetic;

import org.ivit.core.InputException;

/**
 * A positive ratio as m·2^−e, and the rounding that an engine multiplies by it with.
 *
 * @param multiplier m, 0 to 2^31−1; at least 2^30 unless the ratio is below 2^−32
 * @param shift e, 1 to {@value #MAX_SHIFT}
 */
public record Dyadic(int multiplier, int shift) {
  /** The largest e: z·m + 2^(e−1) then fits 64 bits for every |z| ≤ 2^31. */
  public static final int MAX_SHIFT = 62;

  /**
   * Checks what a file may have held.
   *
   * @throws InputException if m or e is out of range
   */
  public Dyadic {
    if (multiplier < 0 || shift < 1 || shift > MAX_SHIFT) {
      throw new InputException(
          "dyadic multiplier "
              + multiplier
              + " with shift "
              + shift
              + ": expected a multiplier of at least 0 and a shift of 1 to "
              + MAX_SHIFT);
    }
  }

  /**
   * The nearest m·2^−e with 31 significant bits, fewer below 2^−32.
   *
   * @param ratio quotient of two float32 scales, each widened first
   * @throws InputException if the ratio is not positive and finite or is 2^30 or more
   */
  public static Dyadic of(double ratio) {
    return of("ratio", ratio);
  }

  /**
   * As {@link #of(double)}, with a name for the message.
   *
   * @param name what the ratio belongs to, such as a node
   */
  public static Dyadic of(String name, double ratio) {
    if (!(ratio > 0) || Double.isInfinite(ratio)) {
      throw new InputException(
          name + ": ratio of scales " + ratio + ", expected a positive finite one");
    }
    int exponent = Math.getExponent(ratio);
    if (exponent < Double.MIN_EXPONENT) {
      // Subnormal: 2^-1022 and less.
      return new Dyadic(0, MAX_SHIFT);
    }
    double fraction = Math.scalb(ratio, -exponent - 1);
    int shift = 31 - (exponent + 1);
    long m = (long) Math.floor(fraction * 0x1p31 + 0.5);
    if (m == 1L << 31) {
      m >>= 1;
      shift--;
    }
    if (shift < 1) {
      throw new InputException(
          name + ": refused, ratio of scales " + ratio + " is too large, expected below 2^30");
    }
    if (shift > MAX_SHIFT) {
      int excess = shift - MAX_SHIFT;
      m = excess > 31 ? 0 : (m + (1L << (excess - 1))) >> excess;
      shift = MAX_SHIFT;
    }
    return new Dyadic((int) m, shift);
  }

  /** The ratio of two scales: {@code (double) from / (double) to}. */
  public static double ratio(float from, float to) {
    return (double) from / (double) to;
  }

  /**
   * {@code z} times the ratio, rounded; ties go up. Not clamped.
   *
   * @param z |z| ≤ 2^31
   */
  public long apply(long z) {
    return requantize(z, multiplier, shift);
  }

  /**
   * (z·m + 2^(e−1)) >> e. Ties go up (the published float64 product is inexact beyond 2^53). Not
   * clamped.
   *
   * @param z |z| ≤ 2^31
   * @param m 0 to 2^31−1
   * @param e 1 to 62
   */
  public static long requantize(long z, int m, int e) {
    return (z * m + (1L << (e - 1))) >> e;
  }

  /**
   * Two requantizations, one clamp to 16 bits: the residual add, and the embedding's.
   *
   * @param z branch, |z| ≤ 2^31
   * @param identity the other addend, |identity| ≤ 2^31
   */
  public static short add16(long z, int m, int e, long identity, int m2, int e2) {
    return Quantizer.clamp16(requantize(z, m, e) + requantize(identity, m2, e2));
  }

  /** Two requantizations, one clamp to 8 bits: a score and its relative position bias. */
  public static byte add8(long z, int m, int e, long identity, int m2, int e2) {
    return Quantizer.clamp8(requantize(z, m, e) + requantize(identity, m2, e2));
  }
}
