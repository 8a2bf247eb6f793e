package org.ivit.train.memory;

/**
 * Matrix products, {@code C = alpha·A·B + beta·C}. One product runs in the calling thread; several
 * threads may call at once.
 */
public interface Gemm {
  /**
   * @param alpha factor of the product
   * @param a [m][k]
   * @param b [k][n]
   * @param beta factor of what C holds; with 0 it is not read
   * @param c [m][n], not transposed
   * @throws IndexOutOfBoundsException if a matrix does not lie inside its memory
   * @throws IllegalArgumentException if sizes do not fit or types differ
   */
  void multiply(double alpha, RealMatrix a, RealMatrix b, double beta, RealMatrix c);

  /** OpenBLAS where it is on the class path, else portable Java. */
  static Gemm available() {
    try {
      Class.forName("org.bytedeco.openblas.global.openblas", false, Gemm.class.getClassLoader());
      return new OpenBlasGemm();
    } catch (ClassNotFoundException e) {
      return new JavaGemm();
    }
  }

  /** Checks what {@link #multiply} is given. */
  static void check(RealMatrix a, RealMatrix b, RealMatrix c) {
    a.check("A");
    b.check("B");
    c.check("C");
    RealType type = c.memory().type();
    if (a.memory().type() != type || b.memory().type() != type) {
      throw new IllegalArgumentException(
          "matrix product of " + a.memory().type() + ", " + b.memory().type() + ", " + type);
    }
    if (a.rows() != c.rows() || a.columns() != b.rows() || b.columns() != c.columns()) {
      throw new IllegalArgumentException(
          "matrix product of [%d][%d] and [%d][%d] to [%d][%d]"
              .formatted(a.rows(), a.columns(), b.rows(), b.columns(), c.rows(), c.columns()));
    }
    if (c.transposed()) {
      throw new IllegalArgumentException("matrix product to a transposed matrix");
    }
  }
}
