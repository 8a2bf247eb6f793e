package org.ivit.core.arithmetic;

import java.util.Arrays;
import org.ivit.core.InputException;

/**
 * The few channels of an 8-bit node whose codes have scale s·2^shift where the others have s. The
 * arrays are not copied and must not be written.
 *
 * @param channels indices, ascending and distinct
 * @param shift k of the scale s·2^k, 1 to {@value #MAX_SHIFT}; 0 where there are no channels
 */
public record OutlierChannels(int[] channels, int shift) {
  /** A larger shift would break the bound of an accumulator at a single weight code of 1. */
  public static final int MAX_SHIFT = 23;

  /** The most channels that {@link #choose} sets apart. */
  public static final int MAX_CHOSEN = 16;

  /** A node without outlier channels. */
  public static final OutlierChannels NONE = new OutlierChannels(new int[0], 0);

  /**
   * Checks what a file may have held.
   *
   * @throws InputException if the channels are not ascending from 0 or the shift does not fit them
   */
  public OutlierChannels {
    for (int i = 0; i < channels.length; i++) {
      if (channels[i] < 0 || (i > 0 && channels[i] <= channels[i - 1])) {
        throw new InputException(
            "outlier channels " + Arrays.toString(channels) + ": expected ascending indices");
      }
    }
    if (channels.length == 0 ? shift != 0 : shift < 1 || shift > MAX_SHIFT) {
      throw new InputException(
          "outlier channels %s with shift %s: expected a shift of %s"
              .formatted(
                  Arrays.toString(channels),
                  shift,
                  channels.length == 0 ? "0" : "1 to " + MAX_SHIFT));
    }
  }

  /** Whether there are no outlier channels. */
  public boolean isEmpty() {
    return channels.length == 0;
  }

  /** Whether channel {@code c} is one. */
  public boolean contains(int c) {
    return Arrays.binarySearch(channels, c) >= 0;
  }

  /** The factor 2^shift between the scale of the outliers and that of the others. */
  public double factor() {
    return (double) (1L << shift);
  }

  /** The scale of channel {@code c} of a node with scale {@code scale}; exact. */
  public float scale(float scale, int c) {
    return contains(c) ? outlierScale(scale) : scale;
  }

  /** The scale of the outliers of a node with scale {@code scale}: s·2^shift, exact. */
  public float outlierScale(float scale) {
    return scale * (float) (1L << shift);
  }

  /**
   * The rule: with the largest absolute values of the channels sorted, v1 ≥ v2 ≥ …, the largest i ≤
   * 16 with v_i ≥ 4·v_(i+1) gives the outliers, and k is the smallest with 2^k·v_(i+1) ≥ v1. A
   * candidate whose rest is all zero, or whose k would exceed {@link #MAX_SHIFT}, is passed over.
   *
   * @param largest largest absolute value seen in each channel
   */
  public static OutlierChannels choose(float[] largest) {
    Integer[] order = new Integer[largest.length];
    Arrays.setAll(order, i -> i);
    Arrays.sort(order, (a, b) -> Float.compare(largest[b], largest[a]));
    for (int i = Math.min(MAX_CHOSEN, largest.length - 1); i >= 1; i--) {
      double rest = largest[order[i]];
      if (rest > 0 && largest[order[i - 1]] >= 4 * rest) {
        int shift = smallestShift(largest[order[0]], rest);
        if (shift <= MAX_SHIFT) {
          int[] channels = new int[i];
          for (int j = 0; j < i; j++) {
            channels[j] = order[j];
          }
          Arrays.sort(channels);
          return new OutlierChannels(channels, shift);
        }
      }
    }
    return NONE;
  }

  /**
   * A given set with the smallest shift k ≥ 1 for which 2^k times the largest value outside the set
   * reaches the largest inside, at most {@link #MAX_SHIFT}: for two nodes that share one set.
   *
   * @param channels ascending indices
   * @param largest largest absolute value seen in each channel of this node
   */
  public static OutlierChannels withShiftFor(int[] channels, float[] largest) {
    if (channels.length == 0) {
      return NONE;
    }
    double inside = 0;
    double rest = 0;
    for (int c = 0; c < largest.length; c++) {
      if (Arrays.binarySearch(channels, c) >= 0) {
        inside = Math.max(inside, largest[c]);
      } else {
        rest = Math.max(rest, largest[c]);
      }
    }
    return new OutlierChannels(channels, Math.min(MAX_SHIFT, smallestShift(inside, rest)));
  }

  /** Smallest k ≥ 1 with rest·2^k ≥ largest, or one more than the largest allowed. */
  private static int smallestShift(double largest, double rest) {
    int shift = 1;
    while (shift <= MAX_SHIFT && rest * (double) (1L << shift) < largest) {
      shift++;
    }
    return shift;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof OutlierChannels that
        && shift == that.shift
        && Arrays.equals(channels, that.channels);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(channels) + shift;
  }

  @Override
  public String toString() {
    return "OutlierChannels" + Arrays.toString(channels) + "<<" + shift;
  }
}
