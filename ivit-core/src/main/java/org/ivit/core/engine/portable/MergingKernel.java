package org.ivit.core.engine.portable;

import org.ivit.core.engine.portable.BlockRunner.Picture;
import org.ivit.core.engine.portable.BlockRunner.Rows;
import org.ivit.core.engine.portable.product.ExactProduct;
import org.ivit.core.graph.IntegerMerging;

/** Patch merging of rows of the coarser grid. */
final class MergingKernel implements StageEntry {
  private final NormKernel norm;
  private final LinearKernel reduction;
  private final int columns;
  private final int dim;

  MergingKernel(IntegerMerging merging, ExactProduct product) {
    norm = new NormKernel(merging.norm().constants());
    reduction = new LinearKernel(merging.reduction(), product);
    columns = merging.part().resolution().width();
    dim = merging.part().dim();
  }

  @Override
  public int inputs() {
    return 4 * dim;
  }

  @Override
  public void run(
      byte[] codes, int index, int from, int n, Picture before, Picture after, Rows scratch) {
    int half = columns / 2;
    for (int r = 0; r < n; r++) {
      int row = 2 * ((from + r) / half);
      int column = 2 * ((from + r) % half);
      for (int i = 0; i < 4; i++) {
        int token = (row + i % 2) * columns + column + i / 2;
        System.arraycopy(before.x(), token * dim, scratch.wide(), (4 * r + i) * dim, dim);
      }
      norm.row(scratch.wide(), 4 * r * dim, scratch.input(), 4 * r * dim);
    }
    reduction.to8(scratch.input(), 0, n, scratch.gemm(), scratch.norm(), 0);
    for (int i = 0; i < 2 * n * dim; i++) {
      after.x()[2 * from * dim + i] = scratch.norm()[i];
    }
  }
}
