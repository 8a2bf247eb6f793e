package org.ivit.export.features;

/**
 * Inner products of int32 rows without overflow, whatever the codes are. A product of two codes may
 * be 2^62, so that 64 bits hold the sum of one alone. Where the codes are so small that 64 bits
 * hold every sum, one is kept; elsewhere two, of the products' halves of 32 bits: the upper halves
 * of 2^31 products add up to at most 2^61, the lower to less than 2^63, and a row has no more
 * elements.
 */
final class ExactProducts {
  private static final double UPPER = 0x1p32;
  private static final long LOWER = 0xffffffffL;

  private ExactProducts() {}

  /** The largest absolute value of a code, 0 to 2^31. */
  static long largest(int[] codes) {
    long largest = 0;
    for (int code : codes) {
      largest = Math.max(largest, Math.abs((long) code));
    }
    return largest;
  }

  /**
   * Whether 64 bits hold every sum of so many products.
   *
   * @param a largest absolute value of one factor, 0 to 2^31
   * @param b of the other
   * @param length elements of a row
   */
  static boolean fit64(long a, long b, int length) {
    return a * b <= Long.MAX_VALUE / length;
  }

  /** As {@link #of}, equal to it in every bit, for rows that {@link #fit64}. */
  static double of64(int[] a, int from, int[] b, int at, int length) {
    long sum = 0;
    for (int i = 0; i < length; i++) {
      sum += (long) a[from + i] * b[at + i];
    }
    return (double) sum;
  }

  /**
   * Σ a·b of two rows, exact in the integers and then rounded to float64: twice at most, the same
   * on every machine.
   *
   * @param from where the row begins in {@code a}
   * @param at where the row begins in {@code b}
   * @param length elements of a row
   */
  static double of(int[] a, int from, int[] b, int at, int length) {
    long upper = 0;
    long lower = 0;
    for (int i = 0; i < length; i++) {
      long product = (long) a[from + i] * b[at + i];
      upper += product >> 32;
      lower += product & LOWER;
    }
    // Each number has one representation with 0 <= lower < 2^32, so equal sums give equal results.
    return (double) (upper + (lower >>> 32)) * UPPER + (double) (lower & LOWER);
  }
}
