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
  public void multiply(
      boolean transposeA,
      boolean transposeB,
      int m,
      int n,
      int k,
      double alpha,
      Reals a,
      int aFrom,
      int aStride,
      Reals b,
      int bFrom,
      int bStride,
      double beta,
      Reals c,
      int cFrom,
      int cStride) {
    Gemm.check("A", a, aFrom, transposeA ? k : m, transposeA ? m : k, aStride);
    Gemm.check("B", b, bFrom, transposeB ? n : k, transposeB ? k : n, bStride);
    Gemm.check("C", c, cFrom, m, n, cStride);
    if (a.type() != b.type() || a.type() != c.type()) {
      throw new IllegalArgumentException(
          "matrix product of " + a.type() + ", " + b.type() + ", " + c.type());
    }
    Operand left = new Operand(a, aFrom, aStride, transposeA);
    Operand right = new Operand(b, bFrom, bStride, !transposeB);
    if (c.type() == RealType.FLOAT64) {
      doubles(left, right, m, n, k, alpha, beta, c, cFrom, cStride);
      return;
    }
    Panels panels = PANELS.get();
    panels.size(m, Math.max(m, WIDTH));
    for (int from = 0; from < k; from += DEPTH) {
      int depth = Math.min(DEPTH, k - from);
      left.pack(from, depth, m, (float) alpha, panels);
      for (int column = 0; column < n; column += WIDTH) {
        int width = Math.min(WIDTH, n - column);
        right.packColumns(from, depth, column, width, panels);
        for (int i = 0; i < m; i++) {
          int at = cFrom + i * cStride + column;
          begin(c, at, width, from == 0 ? (float) beta : 1, panels.row);
          add(panels, i * DEPTH, depth, width);
          c.put(at, panels.row, 0, width);
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
      Operand left,
      Operand right,
      int m,
      int n,
      int k,
      double alpha,
      double beta,
      Reals c,
      int cFrom,
      int cStride) {
    double[] row = new double[k];
    for (int i = 0; i < m; i++) {
      for (int p = 0; p < k; p++) {
        row[p] = left.get(i, p);
      }
      for (int j = 0; j < n; j++) {
        double sum = 0;
        for (int p = 0; p < k; p++) {
          sum += row[p] * right.get(j, p);
        }
        int at = cFrom + i * cStride + j;
        c.put(at, beta == 0 ? alpha * sum : alpha * sum + beta * c.get(at));
      }
    }
  }

  /**
   * A matrix of rows that are sums' factors.
   *
   * @param acrossRows whether a column of factors lies together in memory, rather than a row
   */
  private record Operand(Reals memory, int from, int stride, boolean acrossRows) {
    double get(int row, int p) {
      return memory.get(acrossRows ? from + p * stride + row : from + row * stride + p);
    }

    /** Rows of A, {@link #DEPTH} apart, times a factor. */
    void pack(int first, int depth, int rows, float factor, Panels panels) {
      if (acrossRows) {
        for (int p = 0; p < depth; p++) {
          memory.get(from + (first + p) * stride, panels.line, 0, rows);
          for (int i = 0; i < rows; i++) {
            panels.a[i * DEPTH + p] = factor * panels.line[i];
          }
        }
        return;
      }
      for (int i = 0; i < rows; i++) {
        memory.get(from + i * stride + first, panels.a, i * DEPTH, depth);
        for (int p = 0; factor != 1 && p < depth; p++) {
          panels.a[i * DEPTH + p] *= factor;
        }
      }
    }

    /** Columns of B, a factor of the sum after the other, {@link #WIDTH} apart. */
    void packColumns(int first, int depth, int column, int width, Panels panels) {
      if (acrossRows) {
        for (int p = 0; p < depth; p++) {
          memory.get(from + (first + p) * stride + column, panels.b, p * WIDTH, width);
        }
        return;
      }
      for (int j = 0; j < width; j++) {
        memory.get(from + (column + j) * stride + first, panels.line, 0, depth);
        for (int p = 0; p < depth; p++) {
          panels.b[p * WIDTH + j] = panels.line[p];
        }
      }
    }
  }
}
