package org.ivit.export.features;

/**
 * Inner products of int32 rows without overflow, whatever the codes are. A product of two codes may
 * be 2^62, so that 64 bits hold the sum of one alone; the sum is kept in two halves of 32 bits
 * each: the upper halves of 2^31 products add up to less than 2^62, the lower to less than 2^63,
 * and a row has no more elements than that.
 */
final class ExactProducts {
  private static final double UPPER = 0x1p32;
  private static final long LOWER = 0xffffffffL;

  private ExactProducts() {}

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
