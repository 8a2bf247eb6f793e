package org.ivit.core.engine.portable.product;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The product on the Vector API: sums of {@value #ROWS} rows and two vectors of columns stay in
 * registers. A matrix lies in panels of two vectors, {@code [panel][k][column]}. Only what Java 17
 * and 25 both have and compile to instructions is used.
 */
final class VectorProduct implements ExactProduct {
  /** Six would leave too few of the sixteen registers that AVX2 has: C2 then spills. */
  private static final int ROWS = 4;

  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;

  private static final int LANES = SPECIES.length();

  /** Columns of a panel. */
  private static final int WIDTH = 2 * LANES;

  /** Vectors of fewer bits gain nothing over loops, but on ARM, whose are that long. */
  private static final int FEWEST_BITS =
      System.getProperty("os.arch", "").equals("aarch64") ? 128 : 256;

  /**
   * @throws UnsupportedOperationException if vectors are too short to pay
   */
  VectorProduct() {
    if (SPECIES.vectorBitSize() < FEWEST_BITS) {
      throw new UnsupportedOperationException("vectors of " + SPECIES.vectorBitSize() + " bits");
    }
  }

  @Override
  public String title() {
    return "portable Java with vectors of %d bits".formatted(SPECIES.vectorBitSize());
  }

  @Override
  public int width(int n) {
    return (n + WIDTH - 1) / WIDTH * WIDTH;
  }

  @Override
  public float[][] matrix(int length, int columns) {
    return new float[width(columns) / WIDTH][length * WIDTH];
  }

  @Override
  public void set(float[][] matrix, int k, int column, float value) {
    matrix[column / WIDTH][k * WIDTH + column % WIDTH] = value;
  }

  @Override
  public void setRow(float[][] matrix, int k, float[] row, int n) {
    for (int j = 0; j < n; j += WIDTH) {
      System.arraycopy(row, j, matrix[j / WIDTH], k * WIDTH, Math.min(WIDTH, n - j));
    }
  }

  @Override
  public void multiply(
      float[][] c,
      int rows,
      int n,
      float[][] w,
      int wFrom,
      int length,
      float[] a,
      int aOffset,
      int aStride) {
    int wAt = wFrom * WIDTH;
    for (int j = 0; j < n; j += WIDTH) {
      float[] panel = w[j / WIDTH];
      int r = 0;
      for (; r + ROWS <= rows; r += ROWS) {
        tile(c, r, j, panel, wAt, a, aOffset + r * aStride, aStride, length);
      }
      if (r < rows && rows >= ROWS) {
        // Rows that are done already are computed again with the last ones.
        r = rows - ROWS;
        tile(c, r, j, panel, wAt, a, aOffset + r * aStride, aStride, length);
        continue;
      }
      for (; r < rows; r++) {
        row(c[r], j, panel, wAt, a, aOffset + r * aStride, length);
      }
    }
  }

  private static void tile(
      float[][] c, int r, int at, float[] w, int wAt, float[] a, int aAt, int stride, int length) {
    FloatVector c00 = FloatVector.zero(SPECIES);
    FloatVector c01 = FloatVector.zero(SPECIES);
    FloatVector c10 = FloatVector.zero(SPECIES);
    FloatVector c11 = FloatVector.zero(SPECIES);
    FloatVector c20 = FloatVector.zero(SPECIES);
    FloatVector c21 = FloatVector.zero(SPECIES);
    FloatVector c30 = FloatVector.zero(SPECIES);
    FloatVector c31 = FloatVector.zero(SPECIES);
    int a1 = aAt + stride;
    int a2 = a1 + stride;
    int a3 = a2 + stride;
    for (int k = 0; k < length; k++) {
      FloatVector w0 = FloatVector.fromArray(SPECIES, w, wAt + k * WIDTH);
      FloatVector w1 = FloatVector.fromArray(SPECIES, w, wAt + k * WIDTH + LANES);
      FloatVector x = FloatVector.broadcast(SPECIES, a[aAt + k]);
      c00 = x.fma(w0, c00);
      c01 = x.fma(w1, c01);
      x = FloatVector.broadcast(SPECIES, a[a1 + k]);
      c10 = x.fma(w0, c10);
      c11 = x.fma(w1, c11);
      x = FloatVector.broadcast(SPECIES, a[a2 + k]);
      c20 = x.fma(w0, c20);
      c21 = x.fma(w1, c21);
      x = FloatVector.broadcast(SPECIES, a[a3 + k]);
      c30 = x.fma(w0, c30);
      c31 = x.fma(w1, c31);
    }
    c00.intoArray(c[r], at);
    c01.intoArray(c[r], at + LANES);
    c10.intoArray(c[r + 1], at);
    c11.intoArray(c[r + 1], at + LANES);
    c20.intoArray(c[r + 2], at);
    c21.intoArray(c[r + 2], at + LANES);
    c30.intoArray(c[r + 3], at);
    c31.intoArray(c[r + 3], at + LANES);
  }

  private static void row(float[] c, int at, float[] w, int wAt, float[] a, int aAt, int length) {
    FloatVector c0 = FloatVector.zero(SPECIES);
    FloatVector c1 = FloatVector.zero(SPECIES);
    for (int k = 0; k < length; k++) {
      FloatVector x = FloatVector.broadcast(SPECIES, a[aAt + k]);
      c0 = x.fma(FloatVector.fromArray(SPECIES, w, wAt + k * WIDTH), c0);
      c1 = x.fma(FloatVector.fromArray(SPECIES, w, wAt + k * WIDTH + LANES), c1);
    }
    c0.intoArray(c, at);
    c1.intoArray(c, at + LANES);
  }
}
