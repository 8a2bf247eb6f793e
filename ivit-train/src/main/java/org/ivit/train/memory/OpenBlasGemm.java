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
    int opA = transposeA ? openblas.CblasTrans : openblas.CblasNoTrans;
    int opB = transposeB ? openblas.CblasTrans : openblas.CblasNoTrans;
    if (a instanceof Float32Reals a32
        && b instanceof Float32Reals b32
        && c instanceof Float32Reals c32) {
      openblas.cblas_sgemm(
          ROW_MAJOR,
          opA,
          opB,
          m,
          n,
          k,
          (float) alpha,
          at(a32, aFrom),
          aStride,
          at(b32, bFrom),
          bStride,
          (float) beta,
          at(c32, cFrom),
          cStride);
    } else if (a instanceof Float64Reals a64
        && b instanceof Float64Reals b64
        && c instanceof Float64Reals c64) {
      openblas.cblas_dgemm(
          ROW_MAJOR,
          opA,
          opB,
          m,
          n,
          k,
          alpha,
          at(a64, aFrom),
          aStride,
          at(b64, bFrom),
          bStride,
          beta,
          at(c64, cFrom),
          cStride);
    } else {
      throw new IllegalArgumentException(
          "matrix product of " + a.type() + ", " + b.type() + ", " + c.type());
    }
  }

  private static FloatPointer at(Float32Reals x, int offset) {
    return new FloatPointer(x.buffer()).position(offset);
  }

  private static DoublePointer at(Float64Reals x, int offset) {
    return new DoublePointer(x.buffer()).position(offset);
  }
}
