package org.ivit.core.engine.portable.product;

/**
 * Matrix products of integers that are held in float32. As long as every partial sum stays at or
 * below 2^24 in absolute value each fused multiply-add is exact, whatever the order, so this is
 * integer arithmetic on the unit of the processor that does most of it: Java has no vector form of
 * an int8 product. Stateless; any number of threads may use one at once.
 */
public interface ExactProduct {
  /** Every integer up to this one is a float32. */
  long LIMIT = 1L << 24;

  /** The longest sum of products of two 8-bit codes that cannot pass {@link #LIMIT}. */
  int CODES = (int) (LIMIT / (128 * 128));

  /** The same of 8-bit codes and unsigned bytes, a multiple of {@link #STEP}. */
  int BYTES = 512;

  /** The inner index advances by this much; rows of factors are padded to a multiple with zeros. */
  int STEP = 4;

  /** Rounds a length up to a multiple of {@link #STEP}. */
  static int padded(int length) {
    return (length + STEP - 1) / STEP * STEP;
  }

  /** Plain loops, on every machine. */
  static ExactProduct loops() {
    return LoopProduct.INSTANCE;
  }

  /** That of the Vector API where it runs, or else {@link #loops}. */
  static ExactProduct fastest() {
    ExactProduct vectors = VectorApi.product();
    return vectors == null ? loops() : vectors;
  }

  /** The engine that computes with it, for people. */
  String title();

  /** Columns that the sums of a product of {@code n} columns need. */
  int width(int n);

  /**
   * A right-hand side, all zero, in a layout of its own.
   *
   * @param length of the inner index
   * @param columns number of columns
   */
  float[][] matrix(int length, int columns);

  /** Sets an element of a {@link #matrix}. */
  void set(float[][] matrix, int k, int column, float value);

  /** Sets the first n columns of one inner index of a {@link #matrix}. */
  void setRow(float[][] matrix, int k, float[] row, int n);

  /**
   * {@code c[r][j] = Σ_k a[r][k]·w[wFrom + k][j]} for j below n.
   *
   * @param c [rows][at least {@link #width}(n)], overwritten; undefined from n on
   * @param w a {@link #matrix} of at least wFrom + length
   * @param length of the inner index, a multiple of {@link #STEP}
   * @param a element (r, k) at {@code aOffset + r·aStride + k}
   */
  void multiply(
      float[][] c,
      int rows,
      int n,
      float[][] w,
      int wFrom,
      int length,
      float[] a,
      int aOffset,
      int aStride);
}
