package org.ivit.core.weight;

/**
 * Codes −2^(bits−1) to 2^(bits−1) − 1.
 *
 * @param bits width of an index, 2 to 7
 */
public record UniformGrid(int bits) implements WeightGrid {
  /** Checks the width. */
  public UniformGrid {
    WeightGrid.requireBits(bits);
  }

  @Override
  public WeightCoding coding() {
    return WeightCoding.UNIFORM;
  }

  @Override
  public int code(int output, int input, int index) {
    return index - (1 << (bits - 1));
  }

  @Override
  public WeightGrid rows(int[] order) {
    return this;
  }

  @Override
  public WeightGrid joined(WeightGrid other) {
    return equals(other) ? this : null;
  }

  @Override
  public void requireSize(String name, int outputs, int inputs) {}
}
