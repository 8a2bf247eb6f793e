package org.ivit.core.engine.portable;

import org.ivit.core.architecture.Swin;
import org.ivit.core.graph.IntegerMerging;

/** Patch merging of rows of the coarser grid. */
final class MergingKernel {
  private final NormKernel norm;
  private final LinearKernel reduction;
  private final int resolution;
  private final int dim;

  /**
   * @param stage the stage that it follows
   */
  MergingKernel(IntegerMerging merging, Swin.Stage stage) {
    norm = new NormKernel(merging.norm().constants());
    reduction = new LinearKernel(merging.reduction());
    resolution = stage.resolution();
    dim = stage.dim();
  }

  /**
   * @param x codes of the finer grid, [resolution][resolution][dim]
   * @param from first token of the coarser grid
   * @param n number of tokens
   * @param out receives the tokens, [resolution²/4][2·dim]
   */
  void run(short[] x, int from, int n, short[] out, BlockRunner.Rows scratch) {
    int half = resolution / 2;
    for (int r = 0; r < n; r++) {
      int row = 2 * ((from + r) / half);
      int column = 2 * ((from + r) % half);
      for (int i = 0; i < 4; i++) {
        int token = (row + i % 2) * resolution + column + i / 2;
        System.arraycopy(x, token * dim, scratch.wide(), (4 * r + i) * dim, dim);
      }
      norm.row(scratch.wide(), 4 * r * dim, scratch.input(), 4 * r * dim);
    }
    reduction.to8(scratch.input(), 0, n, scratch.gemm(), scratch.norm(), 0);
    for (int i = 0; i < 2 * n * dim; i++) {
      out[2 * from * dim + i] = scratch.norm()[i];
    }
  }
}
