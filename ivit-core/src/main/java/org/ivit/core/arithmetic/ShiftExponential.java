package org.ivit.core.arithmetic;

import org.ivit.core.InputException;

/**
 * The integer exponential of I-ViT (Li and Gu, ICCV 2023, Shiftmax): e^(s·u) ≈ 2^(s·u·1.0111b)
 * times the constant −x0·2^n, by shifts and one division by x0.
 *
 * @param x0 floor(float32(−1/s)), at most −1
 * @param n fractional bits, 0 or more
 */
public record ShiftExponential(int x0, int n) {
  private static final long MAX = Integer.MAX_VALUE;

  /**
   * Checks what a file may have held.
   *
   * @throws InputException if x0 or n is out of range
   */
  public ShiftExponential {
    if (x0 >= 0 || n < 0 || n > 30) {
      throw new InputException(
          "shift exponential with x0 " + x0 + " and n " + n + ": expected x0 < 0 and n of 0 to 30");
    }
  }

  /**
   * The constants for a scale: n bits, lowered until −x0·2^n·terms < 2^31, so that a sum of {@code
   * terms} exponentials fits.
   *
   * @param name what is refused, for the message
   * @throws InputException if the scale is not positive and finite, or no n ≥ 0 holds
   */
  static ShiftExponential of(String name, float scale, int bits, long terms) {
    if (!(scale > 0) || Float.isInfinite(scale)) {
      throw new InputException(name + ": scale " + scale + ", expected a positive finite value");
    }
    // As float64 first: a scale below 2^-31 gives an x0 that fits no integer of 32 bits.
    double x0 = Math.floor(-1f / scale);
    int n = bits;
    while (n >= 0 && -x0 * (double) (1L << n) * terms >= 0x1p31) {
      n--;
    }
    if (n < 0) {
      throw new InputException(
          "%s: refused, at scale %s the sum of %s shift exponentials does not fit 31 bits"
              .formatted(name, scale, terms));
    }
    return new ShiftExponential((int) x0, n);
  }

  /**
   * Constants of ShiftGELU: n = 23, lowered until 2·(−x0)·2^n &lt; 2^31.
   *
   * @param scale s' = float32(s·1.702f)
   */
  public static ShiftExponential gelu(float scale) {
    return of("GELU", scale, 23, 2);
  }

  /**
   * E(u): with v = max(u + (u&gt;&gt;1) − (u&gt;&gt;4), n·x0), q = floor(v/x0), r = v − x0·q, it is
   * ((r − 2·x0) &lt;&lt; (n−q)) &gt;&gt; 1, and 2^31−1 where n−q > 31.
   *
   * @param u a difference of codes; positive ones occur in GELU's row form alone
   */
  public long of(long u) {
    long v = Math.max(u + (u >> 1) - (u >> 4), saturation());
    long q = Math.floorDiv(v, (long) x0);
    long r = v - x0 * q;
    return n - q > 31 ? MAX : ((r - 2L * x0) << (n - q)) >> 1;
  }

  /** E of a very negative u: −x0. */
  public long smallest() {
    return -(long) x0;
  }

  private long saturation() {
    return (long) n * x0;
  }
}
