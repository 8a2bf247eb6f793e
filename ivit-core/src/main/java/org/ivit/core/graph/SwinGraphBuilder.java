package org.ivit.core.graph;

import java.util.ArrayList;
import java.util.List;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Swin;

/** Freezes a Swin, as {@link GraphBuilder} says. */
final class SwinGraphBuilder {
  private final Swin architecture;
  private final Scheme scheme;
  private final NodeBuilder nodes;

  SwinGraphBuilder(Swin architecture, FloatWeights weights, Scheme scheme) {
    this.architecture = architecture;
    this.scheme = scheme;
    this.nodes = new NodeBuilder(weights, scheme);
  }

  SwinGraph build(NodeScales scales) {
    float input = scales.of(NodeNames.INPUT);
    LayerNorm patchNorm = nodes.norm(NodeNames.PATCH_NORM, scales.of(NodeNames.PATCH_NORM));
    List<SwinStage> stages = new ArrayList<>();
    float identity = patchNorm.outputScale();
    for (Swin.Stage stage : architecture.stages()) {
      List<IntegerBlock> blocks = new ArrayList<>();
      for (Block site : stage.blocks()) {
        IntegerBlock block = nodes.block(site, scales, identity);
        blocks.add(block);
        identity = block.residual2().outputScale();
      }
      IntegerMerging merging = stage.merges() ? nodes.merging(stage, scales) : null;
      if (merging != null) {
        identity = merging.reduction().outputScale();
      }
      stages.add(new SwinStage(blocks, merging));
    }
    LayerNorm norm = nodes.norm(NodeNames.NORM, scales.of(NodeNames.NORM));
    Pool pool = Pool.of(norm.outputScale(), architecture.pooledTokens(), scales.of(NodeNames.POOL));
    return new SwinGraph(
        architecture,
        scheme,
        input,
        nodes.patchEmbed(NodeNames.PATCH_PROJECTION, input, scales.of(NodeNames.PATCH_PROJECTION)),
        patchNorm,
        stages,
        norm,
        pool,
        nodes.head(pool.outputScale()));
  }
}
