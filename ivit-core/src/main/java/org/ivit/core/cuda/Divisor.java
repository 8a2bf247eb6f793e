package org.ivit.core.cuda;

/**
 * A divisor d as a kernel takes it: {@code floor(n / d) = n · multiplier >> shift} for n below
 * 2^31.
 *
 * @param multiplier ceil(2^shift / d), unsigned
 * @param shift 31 + ceil(log2 d)
 */
public record Divisor(int multiplier, int shift) {
  /**
   * @param d 1 to 2^30
   */
  public static Divisor of(int d) {
    if (d < 1 || d > 1 << 30) {
      throw new IllegalArgumentException("divisor " + d);
    }
    int shift = 31 + (32 - Integer.numberOfLeadingZeros(d - 1));
    long power = 1L << shift;
    return new Divisor((int) ((power + d - 1) / d), shift);
  }
}
