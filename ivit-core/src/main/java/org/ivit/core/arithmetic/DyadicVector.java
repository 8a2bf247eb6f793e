package org.ivit.core.arithmetic;

import java.util.Arrays;
import org.ivit.core.InputException;

/**
 * One {@link Dyadic} a channel, as an engine stores them. The arrays are not copied.
 *
 * @param multiplier [channels]
 * @param shift [channels], 1 to 62
 */
public record DyadicVector(int[] multiplier, byte[] shift) {

  /**
   * Checks what a file may have held.
   *
   * @throws InputException if the lengths differ or a member is out of range
   */
  public DyadicVector {
    if (multiplier.length != shift.length) {
      throw new InputException(
          "dyadic multipliers: " + multiplier.length + " multipliers, " + shift.length + " shifts");
    }
    for (int c = 0; c < multiplier.length; c++) {
      if (multiplier[c] < 0 || shift[c] < 1 || shift[c] > Dyadic.MAX_SHIFT) {
        throw new InputException(
            "dyadic multiplier "
                + multiplier[c]
                + " with shift "
                + shift[c]
                + " in channel "
                + c
                + ": expected a multiplier of at least 0 and a shift of 1 to "
                + Dyadic.MAX_SHIFT);
      }
    }
  }

  /**
   * The multipliers from a scale of each channel to one common scale; those of outlier channels are
   * built for s·2^k, which is the ratio divided by 2^k.
   *
   * @param name the node, for messages
   * @param from [channels] scales of the values before requantization
   * @param to scale of the node
   * @param outliers the node's own outlier channels
   * @throws InputException if a ratio cannot be expressed; names the node and the channel
   */
  public static DyadicVector of(String name, float[] from, float to, OutlierChannels outliers) {
    int[] multiplier = new int[from.length];
    byte[] shift = new byte[from.length];
    for (int c = 0; c < from.length; c++) {
      double ratio = Dyadic.ratio(from[c], to);
      if (outliers.contains(c)) {
        ratio /= outliers.factor();
      }
      Dyadic dyadic = of(name, c, ratio);
      multiplier[c] = dyadic.multiplier();
      shift[c] = (byte) dyadic.shift();
    }
    return new DyadicVector(multiplier, shift);
  }

  /**
   * The multipliers from one scale to a node that may have outlier channels.
   *
   * @param channels number of channels
   */
  public static DyadicVector of(
      String name, float from, int channels, float to, OutlierChannels outliers) {
    float[] scales = new float[channels];
    Arrays.fill(scales, from);
    return of(name, scales, to, outliers);
  }

  private static Dyadic of(String name, int channel, double ratio) {
    try {
      return Dyadic.of(ratio);
    } catch (InputException unnamed) {
      // Refused again, by name: no message is composed for the channels that pass.
      return Dyadic.of(name + ", channel " + channel, ratio);
    }
  }

  /** Number of channels. */
  public int size() {
    return multiplier.length;
  }

  /** {@code z} requantized with the multiplier of channel {@code c}; not clamped. */
  public long apply(int c, long z) {
    return Dyadic.requantize(z, multiplier[c], shift[c]);
  }
}
