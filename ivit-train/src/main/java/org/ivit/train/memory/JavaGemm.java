package org.ivit.train.memory;

import java.util.Arrays;

/**
 * Products in portable Java, where OpenBLAS is not on the class path. A sum is taken four terms at
 * a time in the order of k, in the type of the memory.
 */
final class JavaGemm implements Gemm {
  /** Length of the sums that are taken at once. */
  private static final int DEPTH = 64;

  /** Columns that are computed at once: with {@link #DEPTH}, what a core's second cache holds. */
  private static final int WIDTH = 512;

  private static final ThreadLocal<Panels> PANELS = ThreadLocal.withInitial(Panels::new);

  /** Copies of what a pass over rows of C reads. */
  private static final class Panels {
    private final float[] b = new float[DEPTH * WIDTH];
    private final float[] row = new float[WIDTH];
    private float[] a = {};
    private float[] line = {};

    void size(int rows, int longest) {
      if (a.length < rows * DEPTH) {
        a = new float[rows * DEPTH];
      }
      if (line.length < longest) {
        line = new float[longest];
      }
    }
  }

  @Override
  public void multiply(double alpha, RealMatrix a, RealMatrix b, double beta, RealMatrix c) {
    Gemm.check(a, b, c);
    RealMatrix right = b.transpose();
    if (c.memory().type() == RealType.FLOAT64) {
      doubles(alpha, a, right, beta, c);
      return;
    }
    int m = c.rows();
    int n = c.columns();
    int k = a.columns();
    Panels panels = PANELS.get();
    panels.size(m, Math.max(m, WIDTH));
    for (int from = 0; from < k; from += DEPTH) {
      int depth = Math.min(DEPTH, k - from);
      pack(a, from, depth, (float) alpha, panels);
      for (int column = 0; column < n; column += WIDTH) {
        int width = Math.min(WIDTH, n - column);
        packColumns(right, from, depth, column, width, panels);
        for (int i = 0; i < m; i++) {
          int at = c.from() + i * c.stride() + column;
          begin(c.memory(), at, width, from == 0 ? (float) beta : 1, panels.row);
          add(panels, i * DEPTH, depth, width);
          c.memory().put(at, panels.row, 0, width);
        }
      }
    }
  }

  private static void begin(Reals c, int at, int width, float beta, float[] row) {
    if (beta == 0) {
      Arrays.fill(row, 0, width, 0);
      return;
    }
    c.get(at, row, 0, width);
    for (int j = 0; beta != 1 && j < width; j++) {
      row[j] *= beta;
    }
  }

  private static void add(Panels panels, int from, int depth, int width) {
    float[] a = panels.a;
    int p = 0;
    for (; p + 4 <= depth; p += 4) {
      add4(
          a[from + p],
          a[from + p + 1],
          a[from + p + 2],
          a[from + p + 3],
          panels.b,
          p * WIDTH,
          panels.row,
          width);
    }
    for (; p < depth; p++) {
      float factor = a[from + p];
      for (int j = 0; j < width; j++) {
        panels.row[j] += factor * panels.b[p * WIDTH + j];
      }
    }
  }

  private static void add4(
      float a0, float a1, float a2, float a3, float[] b, int at, float[] row, int width) {
    for (int j = 0; j < width; j++) {
      row[j] +=
          a0 * b[at + j]
              + a1 * b[at + WIDTH + j]
              + a2 * b[at + 2 * WIDTH + j]
              + a3 * b[at + 3 * WIDTH + j];
    }
  }

  private static void doubles(
      double alpha, RealMatrix left, RealMatrix right, double beta, RealMatrix c) {
    double[] row = new double[left.columns()];
    for (int i = 0; i < c.rows(); i++) {
      for (int p = 0; p < row.length; p++) {
        row[p] = get(left, i, p);
      }
      for (int j = 0; j < c.columns(); j++) {
        double sum = 0;
        for (int p = 0; p < row.length; p++) {
          sum += row[p] * get(right, j, p);
        }
        int at = c.from() + i * c.stride() + j;
        double product = alpha * sum;
        c.memory().put(at, beta == 0 ? product : product + beta * c.memory().get(at));
      }
    }
  }

  private static double get(RealMatrix x, int row, int p) {
    int at = x.transposed() ? p * x.stride() + row : row * x.stride() + p;
    return x.memory().get(x.from() + at);
  }

  /** Rows of A, {@link #DEPTH} apart, times a factor. */
  private static void pack(RealMatrix x, int first, int depth, float factor, Panels panels) {
    if (x.transposed()) {
      for (int p = 0; p < depth; p++) {
        x.memory().get(x.from() + (first + p) * x.stride(), panels.line, 0, x.rows());
        for (int i = 0; i < x.rows(); i++) {
          panels.a[i * DEPTH + p] = factor * panels.line[i];
        }
      }
      return;
    }
    for (int i = 0; i < x.rows(); i++) {
      x.memory().get(x.from() + i * x.stride() + first, panels.a, i * DEPTH, depth);
      for (int p = 0; factor != 1 && p < depth; p++) {
        panels.a[i * DEPTH + p] *= factor;
      }
    }
  }

  /** Columns of B, rows of {@code x}, a factor of the sum after the other, {@link #WIDTH} apart. */
  private static void packColumns(
      RealMatrix x, int first, int depth, int column, int width, Panels panels) {
    if (x.transposed()) {
      for (int p = 0; p < depth; p++) {
        int at = x.from() + (first + p) * x.stride() + column;
        x.memory().get(at, panels.b, p * WIDTH, width);
      }
      return;
    }
    for (int j = 0; j < width; j++) {
      x.memory().get(x.from() + (column + j) * x.stride() + first, panels.line, 0, depth);
      for (int p = 0; p < depth; p++) {
        panels.b[p * WIDTH + j] = panels.line[p];
      }
    }
  }
}
