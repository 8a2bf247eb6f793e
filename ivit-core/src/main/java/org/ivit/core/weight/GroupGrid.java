package org.ivit.core.weight;

import org.ivit.core.InputException;

/**
 * Multipliers of groups of consecutive inputs: with q = index − 2^(bits−1) the code is {@code (q·m
 * + 2^(shift−1)) >> shift}, with shift 0 q·m. The array is shared, not to be changed.
 *
 * @param bits width of an index, 2 to 7
 * @param inputs number of input channels
 * @param size inputs of a group; the last may have fewer
 * @param shift 0 to 7
 * @param multiplier [outputs][groups], each 1 to {@link #most}
 */
public record GroupGrid(int bits, int inputs, int size, int shift, byte[] multiplier)
    implements WeightGrid {
  /** The inputs of a group that are used where nothing else is said. */
  public static final int USUAL_SIZE = 32;

  private static final int MOST_SIZE = 1 << 16;

  private static final int MOST_SHIFT = 7;

  /**
   * Checks sizes and that every code has 8 bits.
   *
   * @throws InputException naming what does not fit
   */
  public GroupGrid {
    WeightGrid.requireBits(bits);
    if (inputs < 1 || size < 1 || size > MOST_SIZE) {
      throw new InputException(
          "weight groups: found %d inputs in groups of %d, expected groups of 1 to %d"
              .formatted(inputs, size, MOST_SIZE));
    }
    if (shift < 0 || shift > MOST_SHIFT) {
      throw new InputException(
          "weight groups: found shift %d, expected 0 to %d".formatted(shift, MOST_SHIFT));
    }
    int groups = groups(inputs, size);
    if (multiplier.length % groups != 0) {
      throw new InputException(
          "weight groups: found %d multipliers, expected a multiple of %d"
              .formatted(multiplier.length, groups));
    }
    int most = most(bits, shift);
    for (int i = 0; i < multiplier.length; i++) {
      if (multiplier[i] < 1 || multiplier[i] > most) {
        throw new InputException(
            "weight groups: channel %d: multiplier %d is %d, expected 1 to %d"
                .formatted(i / groups, i % groups, multiplier[i], most));
      }
    }
  }

  /**
   * The greatest multiplier: that of the largest positive codes that have 8 bits.
   *
   * @param bits width of an index
   * @param shift of the codes
   */
  public static int most(int bits, int shift) {
    return Math.min(Byte.MAX_VALUE, (Byte.MAX_VALUE << shift) >> (bits - 1));
  }

  /** Number of groups of a channel. */
  public int groups() {
    return groups(inputs, size);
  }

  /**
   * Number of groups of a channel.
   *
   * @param inputs number of input channels
   * @param size inputs of a group
   */
  public static int groups(int inputs, int size) {
    return (inputs + size - 1) / size;
  }

  @Override
  public WeightCoding coding() {
    return WeightCoding.GROUP;
  }

  @Override
  public int code(int output, int input, int index) {
    return code(multiplier(output, input), index);
  }

  private int multiplier(int output, int input) {
    return multiplier[output * groups() + input / size];
  }

  private int code(int m, int index) {
    return ((index - (1 << (bits - 1))) * m + (1 << shift >> 1)) >> shift;
  }

  /** Begins where it should be, instead of halving all indices. */
  @Override
  public int reaching(int output, int input, double value) {
    int m = multiplier(output, input);
    int last = (1 << bits) - 1;
    double guess = value * (1 << shift) / m + (1 << (bits - 1));
    int index = (int) Math.max(0, Math.min(last, guess));
    while (index > 0 && code(m, index - 1) >= value) {
      index--;
    }
    while (index < last && code(m, index) < value) {
      index++;
    }
    return index;
  }

  @Override
  public void decode(int output, byte[] indices, byte[] codes, int from) {
    int group = output * groups();
    for (int first = 0; first < inputs; first += size) {
      int m = multiplier[group++];
      int end = Math.min(inputs, first + size);
      for (int k = first; k < end; k++) {
        codes[from + k] = (byte) code(m, indices[k]);
      }
    }
  }

  @Override
  public WeightGrid rows(int[] order) {
    return new GroupGrid(bits, inputs, size, shift, Rows.of(multiplier, groups(), order));
  }

  @Override
  public void requireSize(String name, int outputs, int inputs) {
    if (inputs != this.inputs || multiplier.length != (long) outputs * groups()) {
      throw new InputException(
          "%s: found %d multipliers of weights for %d inputs, expected %d for each of %d output channels and %d inputs"
              .formatted(
                  name, multiplier.length, this.inputs, groups(inputs, size), outputs, inputs));
    }
  }
}
