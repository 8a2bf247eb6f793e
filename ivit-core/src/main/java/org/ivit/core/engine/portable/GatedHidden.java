package org.ivit.core.engine.portable;

import org.ivit.core.engine.portable.BlockRunner.Rows;
import org.ivit.core.engine.portable.product.ExactProduct;
import org.ivit.core.engine.portable.product.Requantizer;
import org.ivit.core.graph.Gating;
import org.ivit.core.graph.IntegerBlock;

/** SwiGLU: two products, silu of one times the other, then in some models a norm. */
final class GatedHidden implements HiddenKernel {
  private final int hidden;
  private final LinearKernel gate;
  private final LinearKernel value;
  private final short[] table;

  /** Of the products, each exact in float32: below 2^22. */
  private final Requantizer requantizer;

  /** Null where there is none. */
  private final NormKernel norm;

  GatedHidden(IntegerBlock block, ExactProduct product) {
    Gating gating = block.gating();
    hidden = block.part().hidden();
    gate = new LinearKernel(block.fc1(), product);
    value = new LinearKernel(block.value(), product);
    table = gating.table();
    requantizer = new Requantizer(gating.product(), null);
    norm = block.mlpNorm() == null ? null : new NormKernel(block.mlpNorm().constants());
  }

  @Override
  public void run(int n, Rows scratch) {
    byte[] gates = scratch.hidden();
    byte[] act = scratch.act();
    gate.to8(scratch.norm(), 0, n, scratch.gemm(), gates, 0);
    value.to8(scratch.norm(), 0, n, scratch.gemm(), act, 0);
    for (int r = 0; r < n; r++) {
      int at = r * hidden;
      float[] products = scratch.products();
      for (int c = 0; c < hidden; c++) {
        products[c] = table[gates[at + c] + 128] * act[at + c];
      }
      if (norm == null) {
        requantizer.to8(0, hidden, products, null, act, at);
      } else {
        requantizer.to16(0, hidden, products, null, scratch.gated(), 0);
        norm.row(scratch.gated(), 0, act, at);
      }
    }
  }
}
