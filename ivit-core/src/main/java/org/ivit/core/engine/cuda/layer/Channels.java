package org.ivit.core.engine.cuda.layer;

import org.ivit.core.arithmetic.DyadicVector;

/**
 * Bias and multiplier of each output channel in the form of the structure {@code Channel}.
 *
 * @param records four integers a channel
 * @param wide whether a shift is below 33, so that whole 64-bit products are needed
 */
public record Channels(int[] records, boolean wide) {
  /** The least shift whose rounding touches the upper half of a product only. */
  static final int LEAST_HIGH_SHIFT = 33;

  /**
   * @param order channel of each record, -1 for one that gives 0
   * @param length records, at least as many as {@code order} has
   * @param bias of each channel, or null for none
   * @param multipliers of each channel
   * @param exact whether to take whole products whatever the shifts: results are not clamped
   */
  public static Channels of(
      int[] order, int length, int[] bias, DyadicVector multipliers, boolean exact) {
    boolean wide = exact;
    for (int c : order) {
      wide |= c >= 0 && multipliers.shift()[c] < LEAST_HIGH_SHIFT;
    }
    int[] records = new int[4 * length];
    for (int i = 0; i < length; i++) {
      int c = i < order.length ? order[i] : -1;
      int shift = c < 0 ? LEAST_HIGH_SHIFT : multipliers.shift()[c];
      records[4 * i] = c < 0 || bias == null ? 0 : bias[c];
      records[4 * i + 1] = c < 0 ? 0 : multipliers.multiplier()[c];
      records[4 * i + 2] = wide ? 0 : 1 << (shift - LEAST_HIGH_SHIFT);
      records[4 * i + 3] = wide ? shift : shift - LEAST_HIGH_SHIFT + 1;
    }
    return new Channels(records, wide);
  }
}
