package org.ivit.core.weight;

import org.ivit.core.InputException;

/**
 * The 8-bit codes that weights of fewer bits may have: an index of a weight decodes to one of them
 * ({@code docs/arithmetic.md#weights-of-fewer-bits}). Indices run from 0 to 2^bits − 1, and codes
 * never fall as the index rises.
 */
public sealed interface WeightGrid permits TableGrid, GroupGrid, UniformGrid {
  /** The least width of an index. */
  int LEAST_BITS = 2;

  /** The greatest width of an index. */
  int MOST_BITS = 7;

  /** Width of an index. */
  int bits();

  /** How an index becomes a code. */
  WeightCoding coding();

  /**
   * @param output channel
   * @param input channel
   * @param index 0 to 2^bits − 1
   * @return the code, −128 to 127
   */
  int code(int output, int input, int index);

  /**
   * The codes of a channel.
   *
   * @param output channel
   * @param indices of its weights, [inputs]
   * @param codes receives them
   * @param from where the first one goes
   */
  default void decode(int output, byte[] indices, byte[] codes, int from) {
    for (int k = 0; k < indices.length; k++) {
      codes[from + k] = (byte) code(output, k, indices[k]);
    }
  }

  /**
   * The index whose code is nearest to a value; of two that are as near the lower.
   *
   * @param output channel
   * @param input channel
   * @param value a weight over its channel's scale, finite
   */
  default int nearest(int output, int input, double value) {
    int from = reaching(output, input, value);
    int above = code(output, input, from);
    int below = code(output, input, Math.max(0, from - 1));
    int code = value - below <= above - value ? below : above;
    return code == above && code != below ? from : lowest(output, input, from, code);
  }

  /**
   * The lowest index whose code is at least a value; the last where there is none.
   *
   * @param output channel
   * @param input channel
   * @param value finite
   */
  default int reaching(int output, int input, double value) {
    int from = 0;
    int to = (1 << bits()) - 1;
    while (from < to) {
      int middle = (from + to) >>> 1;
      if (code(output, input, middle) < value) {
        from = middle + 1;
      } else {
        to = middle;
      }
    }
    return from;
  }

  private int lowest(int output, int input, int from, int code) {
    int index = Math.max(0, from - 1);
    while (index > 0 && code(output, input, index - 1) == code) {
      index--;
    }
    return index;
  }

  /**
   * The grid of other output channels.
   *
   * @param order for each channel of the answer its number here
   */
  WeightGrid rows(int[] order);

  /**
   * Requires that it is the grid of a layer of this size.
   *
   * @param name the layer, for the message
   * @throws InputException naming what does not fit
   */
  void requireSize(String name, int outputs, int inputs);

  /**
   * @throws InputException if indices cannot have this width
   */
  static void requireBits(int bits) {
    if (bits < LEAST_BITS || bits > MOST_BITS) {
      throw new InputException(
          "weight bits: found %d, expected %d to %d".formatted(bits, LEAST_BITS, MOST_BITS));
    }
  }

  /** How a grid is told of in a word or two, such as {@code 4 bits, group}. */
  default String describe() {
    return bits() + " bits, " + coding().key();
  }
}
