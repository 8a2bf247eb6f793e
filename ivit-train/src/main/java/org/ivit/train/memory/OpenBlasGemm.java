package org.ivit.train.memory;

import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.openblas.global.openblas;

/**
 * Products by the OpenBLAS library that ND4J brings, called on the memory in place. Parallel work
 * is split above this level, so the library is told to use one thread: a product's bits then do not
 * depend on what else runs.
 */
public final class OpenBlasGemm implements Gemm {
  private static final int ROW_MAJOR = openblas.CblasRowMajor;

  /** Loads the library and sets it to one thread, for the whole process. */
  public OpenBlasGemm() {
    openblas.blas_set_num_threads(1);
  }

  @Override
  public void multiply(double alpha, RealMatrix a, RealMatrix b, double beta, RealMatrix c) {
    Gemm.check(a, b, c);
    int m = c.rows();
    int n = c.columns();
    int k = a.columns();
    if (c.memory() instanceof Float32Reals) {
      openblas.cblas_sgemm(
          ROW_MAJOR,
          operation(a),
          operation(b),
          m,
          n,
          k,
          (float) alpha,
          floats(a),
          a.stride(),
          floats(b),
          b.stride(),
          (float) beta,
          floats(c),
          c.stride());
    } else {
      openblas.cblas_dgemm(
          ROW_MAJOR,
          operation(a),
          operation(b),
          m,
          n,
          k,
          alpha,
          doubles(a),
          a.stride(),
          doubles(b),
          b.stride(),
          beta,
          doubles(c),
          c.stride());
    }
  }

  private static int operation(RealMatrix x) {
    return x.transposed() ? openblas.CblasTrans : openblas.CblasNoTrans;
  }

  private static FloatPointer floats(RealMatrix x) {
    return new FloatPointer(((Float32Reals) x.memory()).buffer()).position(x.from());
  }

  private static DoublePointer doubles(RealMatrix x) {
    return new DoublePointer(((Float64Reals) x.memory()).buffer()).position(x.from());
  }
}
