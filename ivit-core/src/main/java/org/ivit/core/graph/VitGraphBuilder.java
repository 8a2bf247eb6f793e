package org.ivit.core.graph;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Vit;

/** Freezes a ViT, as {@link GraphBuilder} says. */
public final class VitGraphBuilder {
  private final Vit architecture;
  private final Scheme scheme;
  private final NodeBuilder nodes;

  /**
   * @param architecture sizes
   * @param weights parameters by timm name
   * @param scheme forms, widths, outlier channels
   */
  public VitGraphBuilder(Vit architecture, FloatWeights weights, Scheme scheme) {
    this.architecture = architecture;
    this.scheme = scheme;
    this.nodes = new NodeBuilder(weights, scheme);
  }

  /**
   * @param ranges range of every node of {@link NodeNames#ranged}
   * @return the integer graph
   */
  public VitGraph build(Map<String, Range> ranges) {
    return build(NodeScales.of(scheme, ranges));
  }

  /**
   * @param scales scale of every node of {@link NodeNames#ranged}
   * @return the integer graph
   */
  public VitGraph build(NodeScales scales) {
    float input = scales.of(NodeNames.INPUT);
    float patch = scales.of(NodeNames.PATCH_EMBED);
    float embed = scales.of(NodeNames.EMBED);
    List<IntegerBlock> blocks = new ArrayList<>();
    float identity = embed;
    for (Block site : architecture.blocks()) {
      IntegerBlock block = nodes.block(site, scales, identity);
      blocks.add(block);
      identity = block.residual2().outputScale();
    }
    LayerNorm norm = nodes.norm(NodeNames.NORM, scales.of(NodeNames.NORM));
    return new VitGraph(
        architecture,
        scheme,
        input,
        nodes.patchEmbed(NodeNames.PATCH_EMBED, input, patch),
        nodes.embed(architecture.leading(), patch, embed),
        blocks,
        norm,
        nodes.heads(architecture.classifiers(), norm.outputScale()));
  }
}
