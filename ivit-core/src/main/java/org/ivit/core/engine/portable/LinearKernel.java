package org.ivit.core.engine.portable;

import org.ivit.core.engine.portable.product.ExactProduct;
import org.ivit.core.engine.portable.product.GemmScratch;
import org.ivit.core.engine.portable.product.IntGemm;
import org.ivit.core.engine.portable.product.Requantizer;
import org.ivit.core.graph.Linear;

/** A linear layer of a graph: packed weights and what follows them. */
final class LinearKernel {
  private final IntGemm gemm;
  private final Requantizer requantizer;

  LinearKernel(Linear linear, ExactProduct product) {
    gemm =
        new IntGemm(
            linear.weight(), linear.outputs(), linear.inputs(), linear.inputOutliers(), product);
    requantizer = new Requantizer(linear.requantization(), linear.bias());
  }

  /** At most {@link IntGemm#ROWS} rows to 8-bit codes. */
  void to8(byte[] x, int xAt, int rows, GemmScratch scratch, byte[] out, int outAt) {
    int outputs = gemm.outputs();
    gemm.rows(
        x,
        xAt,
        rows,
        scratch,
        (row, column, n, last, before) ->
            requantizer.to8(column, n, last, before, out, outAt + row * outputs + column));
  }

  /** At most {@link IntGemm#ROWS} rows to 16-bit codes. */
  void to16(byte[] x, int xAt, int rows, GemmScratch scratch, short[] out, int outAt) {
    int outputs = gemm.outputs();
    gemm.rows(
        x,
        xAt,
        rows,
        scratch,
        (row, column, n, last, before) ->
            requantizer.to16(column, n, last, before, out, outAt + row * outputs + column));
  }

  /**
   * At most {@link IntGemm#ROWS} rows to 16-bit codes, added to as many of an identity.
   *
   * @param branch receives the 16-bit codes, [rows][outputs]
   * @param out receives the sums from {@code outAt}; may be the identity
   */
  void addTo16(
      byte[] x,
      int xAt,
      int rows,
      GemmScratch scratch,
      short[] branch,
      Adder adder,
      short[] identity,
      int identityAt,
      short[] out,
      int outAt) {
    int outputs = gemm.outputs();
    gemm.rows(
        x,
        xAt,
        rows,
        scratch,
        (row, column, n, last, before) -> {
          int at = row * outputs + column;
          requantizer.to16(column, n, last, before, branch, at);
          adder.add(branch, at, identity, identityAt + at, out, outAt + at, n);
        });
  }

  /** One row to logits. */
  void to32(byte[] x, int xAt, GemmScratch scratch, int[] out, int outAt) {
    gemm.rows(
        x,
        xAt,
        1,
        scratch,
        (row, column, n, last, before) ->
            requantizer.to32(column, n, last, before, out, outAt + column));
  }
}
