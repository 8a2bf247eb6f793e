package org.ivit.train.memory;

/**
 * Matrix products of row-major matrices, {@code C = alpha·op(A)·op(B) + beta·C}. One product runs
 * in the calling thread; several threads may call at once.
 */
public interface Gemm {
  /**
   * @param transposeA whether A is stored [k][m]
   * @param transposeB whether B is stored [n][k]
   * @param m rows of C
   * @param n columns of C
   * @param k length of a sum
   * @param alpha factor of the product
   * @param a memory of A
   * @param aFrom index of its first element
   * @param aStride elements from one stored row to the next
   * @param b memory of B
   * @param bFrom index of its first element
   * @param bStride elements from one stored row to the next
   * @param beta factor of what C holds; with 0 it is not read
   * @param c memory of C
   * @param cFrom index of its first element
   * @param cStride elements from one row to the next
   * @throws IndexOutOfBoundsException if a matrix does not lie inside its memory
   * @throws IllegalArgumentException if the types differ
   */
  void multiply(
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
      int cStride);

  /** OpenBLAS where it is on the class path, else portable Java. */
  static Gemm available() {
    try {
      Class.forName("org.bytedeco.openblas.global.openblas", false, Gemm.class.getClassLoader());
      return new OpenBlasGemm();
    } catch (ClassNotFoundException e) {
      return new JavaGemm();
    }
  }

  /**
   * Checks that a matrix lies inside its memory.
   *
   * @throws IndexOutOfBoundsException naming the matrix, if it does not
   */
  static void check(String name, Reals x, int from, int rows, int columns, int stride) {
    long end = from + (long) (rows - 1) * stride + columns;
    if (from < 0 || rows < 1 || columns < 1 || stride < columns || end > x.size()) {
      throw new IndexOutOfBoundsException(
          "matrix "
              + name
              + " of "
              + rows
              + " rows, "
              + columns
              + " columns, stride "
              + stride
              + " at "
              + from
              + " of "
              + x.size());
    }
  }
}
