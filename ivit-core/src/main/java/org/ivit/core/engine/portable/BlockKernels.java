package org.ivit.core.engine.portable;

import java.util.List;
import org.ivit.core.architecture.Windows;
import org.ivit.core.engine.portable.product.ExactProduct;
import org.ivit.core.graph.IntegerBlock;
import org.ivit.core.graph.Linear;
import org.ivit.core.parallel.WorkerPool;

/**
 * The kernels of a transformer block.
 *
 * @param places place of each token in window order; null where the block has no windows
 * @param rotation rotary positions of what {@code qkv} gives; null where there are none
 */
record BlockKernels(
    int[] places,
    NormKernel norm1,
    LinearKernel qkv,
    RotationKernel rotation,
    AttentionKernel attention,
    LinearKernel proj,
    Adder residual1,
    NormKernel norm2,
    HiddenKernel hidden,
    LinearKernel fc2,
    Adder residual2) {

  static BlockKernels of(IntegerBlock block, ExactProduct product) {
    Windows windows = block.part().windows();
    return new BlockKernels(
        windows == null ? null : windows.places(),
        new NormKernel(block.norm1().constants()),
        qkv(block, product),
        block.rotation() == null ? null : new RotationKernel(block.rotation()),
        new AttentionKernel(block.attention(), block.part()),
        new LinearKernel(block.proj(), product),
        new Adder(block.residual1()),
        new NormKernel(block.norm2().constants()),
        block.gating() == null ? new PlainHidden(block, product) : new GatedHidden(block, product),
        new LinearKernel(block.fc2(), product),
        new Adder(block.residual2()));
  }

  private static LinearKernel qkv(IntegerBlock block, ExactProduct product) {
    Linear qkv = block.qkv();
    return new LinearKernel(
        block.rotation() == null ? qkv : RotationKernel.inOrder(qkv, block.rotation()), product);
  }

  /** Packs the weights of blocks, one block a thread. */
  static BlockKernels[] of(List<IntegerBlock> blocks, WorkerPool pool, ExactProduct product) {
    BlockKernels[] kernels = new BlockKernels[blocks.size()];
    pool.run(kernels.length, i -> kernels[i] = of(blocks.get(i), product));
    return kernels;
  }
}
