package org.ivit.core.engine.portable.product;

import java.util.Arrays;

/** Loops that C2 turns into one vector multiply-add a load. */
final class LoopProduct implements ExactProduct {
  static final LoopProduct INSTANCE = new LoopProduct();

  /**
   * C2 of Java 17 leaves the loop over two rows scalar; newer ones read each panel once for two.
   */
  private static final boolean PAIRS = Runtime.version().feature() >= 25;

  /**
   * Without the instruction {@code Math.fma} computes with decimals, thousands of times slower; a
   * product and a sum are as exact here.
   */
  private static final boolean FUSED = JitCompiler.fuses();

  private LoopProduct() {}

  @Override
  public String title() {
    return "portable Java";
  }

  @Override
  public int width(int n) {
    return (n + 7) / 8 * 8;
  }

  @Override
  public float[][] matrix(int length, int columns) {
    return new float[length][columns];
  }

  @Override
  public void set(float[][] matrix, int k, int column, float value) {
    matrix[k][column] = value;
  }

  @Override
  public void setRow(float[][] matrix, int k, float[] row, int n) {
    System.arraycopy(row, 0, matrix[k], 0, n);
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
    for (int r = 0; r < rows; r++) {
      Arrays.fill(c[r], 0, n, 0f);
    }
    // The inner index is outermost: its four panels stay in the first-level cache for all rows.
    for (int k = 0; k < length; k += STEP) {
      float[] w0 = w[wFrom + k];
      float[] w1 = w[wFrom + k + 1];
      float[] w2 = w[wFrom + k + 2];
      float[] w3 = w[wFrom + k + 3];
      int r = 0;
      int p = aOffset + k;
      if (PAIRS && FUSED) {
        for (; r + 1 < rows; r += 2) {
          int q = p + aStride;
          add2(
              c[r], c[r + 1], w0, w1, w2, w3, a[p], a[p + 1], a[p + 2], a[p + 3], a[q], a[q + 1],
              a[q + 2], a[q + 3], n);
          p = q + aStride;
        }
      }
      for (; r < rows; r++) {
        if (FUSED) {
          add1(c[r], w0, w1, w2, w3, a[p], a[p + 1], a[p + 2], a[p + 3], n);
        } else {
          addUnfused(c[r], w0, w1, w2, w3, a[p], a[p + 1], a[p + 2], a[p + 3], n);
        }
        p += aStride;
      }
    }
  }

  // Separate arrays, all indexed by the loop variable alone, are what C2 vectorises.

  private static void add1(
      float[] c,
      float[] w0,
      float[] w1,
      float[] w2,
      float[] w3,
      float a0,
      float a1,
      float a2,
      float a3,
      int n) {
    for (int j = 0; j < n; j++) {
      c[j] =
          Math.fma(a3, w3[j], Math.fma(a2, w2[j], Math.fma(a1, w1[j], Math.fma(a0, w0[j], c[j]))));
    }
  }

  private static void addUnfused(
      float[] c,
      float[] w0,
      float[] w1,
      float[] w2,
      float[] w3,
      float a0,
      float a1,
      float a2,
      float a3,
      int n) {
    for (int j = 0; j < n; j++) {
      c[j] = c[j] + a0 * w0[j] + a1 * w1[j] + a2 * w2[j] + a3 * w3[j];
    }
  }

  private static void add2(
      float[] c,
      float[] d,
      float[] w0,
      float[] w1,
      float[] w2,
      float[] w3,
      float a0,
      float a1,
      float a2,
      float a3,
      float b0,
      float b1,
      float b2,
      float b3,
      int n) {
    for (int j = 0; j < n; j++) {
      float x = c[j];
      float y = d[j];
      float v = w0[j];
      x = Math.fma(a0, v, x);
      y = Math.fma(b0, v, y);
      v = w1[j];
      x = Math.fma(a1, v, x);
      y = Math.fma(b1, v, y);
      v = w2[j];
      x = Math.fma(a2, v, x);
      y = Math.fma(b2, v, y);
      v = w3[j];
      c[j] = Math.fma(a3, v, x);
      d[j] = Math.fma(b3, v, y);
    }
  }
}
