package org.ivit.core.engine.portable.product;

/** What one thread needs for a product; grows to the largest one asked for. */
public final class GemmScratch {
  private float[] factors = new float[0];
  private float[][] sums = new float[0][];
  private int[][] before = new int[0][];

  /** Returns at least {@code length} floats. */
  float[] factors(int length) {
    if (factors.length < length) {
      factors = new float[length];
    }
    return factors;
  }

  /** Returns at least {@code rows} rows of at least {@code width} floats. */
  float[][] sums(int rows, int width) {
    if (sums.length < rows || sums[0].length < width) {
      sums = new float[rows][width];
    }
    return sums;
  }

  /** Returns at least {@code rows} rows of at least {@code width} integers. */
  int[][] before(int rows, int width) {
    if (before.length < rows || before[0].length < width) {
      before = new int[rows][width];
    }
    return before;
  }
}
