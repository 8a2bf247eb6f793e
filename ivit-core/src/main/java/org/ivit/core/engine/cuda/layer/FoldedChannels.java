package org.ivit.core.engine.cuda.layer;

import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.arithmetic.DyadicVector;

/**
 * Bias and multiplier of each output channel in the form of the structure {@code FoldedChannel}:
 * bias and rounding are one addend of the 64-bit product.
 *
 * @param records four integers a channel: multiplier, shift, addend from its lower half on
 * @param wide whether a shift is below 33, so that the quotient is no part of the product's upper
 *     half
 */
record FoldedChannels(int[] records, boolean wide) {
  private static final int LEAST_CLAMPED_SHIFT = 2;

  /**
   * @param order channel of each record, -1 for one that gives 0
   * @param length records, at least as many as {@code order} has
   * @param bias of each channel, or null for none; with the sum it is below 2^31
   * @param multipliers of each channel
   */
  static FoldedChannels of(int[] order, int length, int[] bias, DyadicVector multipliers) {
    boolean wide = false;
    for (int c : order) {
      wide |= c >= 0 && multipliers.shift()[c] < Channels.LEAST_HIGH_SHIFT;
    }
    int[] records = new int[4 * length];
    for (int i = 0; i < length; i++) {
      int c = i < order.length ? order[i] : -1;
      Dyadic dyadic =
          c < 0
              ? new Dyadic(0, Channels.LEAST_HIGH_SHIFT)
              : clampable(new Dyadic(multipliers.multiplier()[c], multipliers.shift()[c]));
      long addend = 1L << (dyadic.shift() - 1);
      if (c >= 0 && bias != null) {
        addend += (long) bias[c] * dyadic.multiplier();
      }
      records[4 * i] = dyadic.multiplier();
      records[4 * i + 1] = wide ? dyadic.shift() : dyadic.shift() - Channels.LEAST_HIGH_SHIFT + 1;
      records[4 * i + 2] = (int) addend;
      records[4 * i + 3] = (int) (addend >> 32);
    }
    return new FoldedChannels(records, wide);
  }

  /**
   * The same with a shift of at least 2, as kernels clamp. Where that halves the ratio, any sum but
   * 0 gives more than 16 bits still.
   */
  private static Dyadic clampable(Dyadic d) {
    if (d.shift() >= LEAST_CLAMPED_SHIFT) {
      return d;
    }
    boolean doubles = d.multiplier() < 1 << 30;
    return new Dyadic(doubles ? 2 * d.multiplier() : d.multiplier(), LEAST_CLAMPED_SHIFT);
  }
}
