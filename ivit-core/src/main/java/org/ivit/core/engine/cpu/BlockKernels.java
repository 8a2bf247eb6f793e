package org.ivit.core.engine.cpu;

import org.ivit.core.graph.Block;

/** The kernels of a transformer block. */
record BlockKernels(
    NormKernel norm1,
    LinearKernel qkv,
    AttentionKernel attention,
    LinearKernel proj,
    Adder residual1,
    NormKernel norm2,
    LinearKernel fc1,
    GeluKernel gelu,
    LinearKernel fc2,
    Adder residual2) {

  static BlockKernels of(Block block, int tokens) {
    return new BlockKernels(
        new NormKernel(block.norm1().constants()),
        new LinearKernel(block.qkv()),
        new AttentionKernel(block.attention(), tokens),
        new LinearKernel(block.proj()),
        new Adder(block.residual1()),
        new NormKernel(block.norm2().constants()),
        new LinearKernel(block.fc1()),
        new GeluKernel(block.gelu(), block.fc1().outputs()),
        new LinearKernel(block.fc2()),
        new Adder(block.residual2()));
  }
}
