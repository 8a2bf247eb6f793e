package org.ivit.core.engine.portable;

import org.ivit.core.engine.portable.BlockRunner.Rows;
import org.ivit.core.engine.portable.product.ExactProduct;
import org.ivit.core.graph.IntegerBlock;

/** A product and its activation function. */
final class PlainHidden implements HiddenKernel {
  private final int hidden;
  private final LinearKernel fc1;
  private final GeluKernel gelu;

  PlainHidden(IntegerBlock block, ExactProduct product) {
    hidden = block.part().hidden();
    fc1 = new LinearKernel(block.fc1(), product);
    gelu = new GeluKernel(block.gelu(), hidden);
  }

  @Override
  public void run(int n, Rows scratch) {
    fc1.to8(scratch.norm(), 0, n, scratch.gemm(), scratch.hidden(), 0);
    for (int r = 0; r < n; r++) {
      gelu.row(scratch.hidden(), r * hidden, scratch.act());
    }
  }
}
