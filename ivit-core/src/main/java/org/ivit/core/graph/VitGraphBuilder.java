package org.ivit.core.graph;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Vit;
import org.ivit.core.arithmetic.OutlierChannels;

/**
 * Freezes a vision transformer: float weights and ranges become integers. Every bound is proved on
 * the way; a model that fails one is refused with an {@link InputException} that names the node.
 */
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
    float input = scale(ranges, NodeNames.INPUT);
    float patch = scale(ranges, NodeNames.PATCH_EMBED);
    float embed = scale(ranges, NodeNames.EMBED);
    Linear patchEmbed =
        nodes.linear(
            NodeNames.PATCH_EMBED,
            nodes.quantize("patch_embed.proj", input),
            OutlierChannels.NONE,
            patch);
    List<Block> blocks = new ArrayList<>();
    float identity = embed;
    for (int i = 0; i < architecture.depth(); i++) {
      Block block = block(i, ranges, identity);
      blocks.add(block);
      identity = block.residual2().outputScale();
    }
    LayerNorm norm = nodes.norm(NodeNames.NORM, scale(ranges, NodeNames.NORM));
    return new VitGraph(
        architecture,
        scheme,
        input,
        patchEmbed,
        nodes.embed(patch, embed),
        blocks,
        norm,
        nodes.head(norm.outputScale()));
  }

  private Block block(int i, Map<String, Range> ranges, float identityScale) {
    String prefix = NodeNames.block(i, "");
    LayerNorm norm1 = nodes.norm(prefix + "norm1", scale(ranges, prefix + "norm1"));
    Linear qkv =
        nodes.linear(
            prefix + "attn.qkv",
            nodes.quantize(prefix + "attn.qkv", norm1.outputScale()),
            norm1.outputOutliers(),
            scale(ranges, prefix + "attn.qkv"));
    Attention attention =
        Attention.of(
            prefix + "attn",
            architecture.heads(),
            architecture.headDim(),
            architecture.tokens(),
            scheme.softmax(),
            scheme.attentionBits(),
            qkv.outputScale(),
            scale(ranges, prefix + "attn.scores"),
            scale(ranges, prefix + "attn.context"),
            scheme.outliers(prefix + "attn.context"));
    Linear proj =
        nodes.linear(
            prefix + "attn.proj",
            nodes.quantize(prefix + "attn.proj", attention.contextScale()),
            attention.contextOutliers(),
            scale(ranges, prefix + "attn.proj"));
    Residual residual1 =
        Residual.of(
            prefix + "residual1",
            proj.outputScale(),
            identityScale,
            scale(ranges, prefix + "residual1"));
    LayerNorm norm2 = nodes.norm(prefix + "norm2", scale(ranges, prefix + "norm2"));
    Linear fc1 =
        nodes.linear(
            prefix + "mlp.fc1",
            nodes.quantize(prefix + "mlp.fc1", norm2.outputScale()),
            norm2.outputOutliers(),
            scale(ranges, prefix + "mlp.fc1"));
    Gelu gelu =
        Gelu.of(
            prefix + "mlp.act",
            scheme.gelu(),
            fc1.outputScale(),
            scheme.outliers(prefix + "mlp.fc1"),
            scale(ranges, prefix + "mlp.act"),
            scheme.outliers(prefix + "mlp.act"));
    Linear fc2 =
        nodes.linear(
            prefix + "mlp.fc2",
            nodes.quantize(prefix + "mlp.fc2", gelu.outputScale()),
            gelu.outputOutliers(),
            scale(ranges, prefix + "mlp.fc2"));
    Residual residual2 =
        Residual.of(
            prefix + "residual2",
            fc2.outputScale(),
            residual1.outputScale(),
            scale(ranges, prefix + "residual2"));
    return new Block(norm1, qkv, attention, proj, residual1, norm2, fc1, gelu, fc2, residual2);
  }

  private static float scale(Map<String, Range> ranges, String node) {
    Range range = ranges.get(node);
    if (range == null) {
      throw new InputException("ranges: found none for node " + node);
    }
    return range.scale(NodeNames.bits(node));
  }
}
