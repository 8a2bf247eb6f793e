package org.ivit.core.graph;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Vit;
import org.ivit.core.arithmetic.LinearQuantizer;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.QuantizedLinear;

/**
 * Freezes a vision transformer: float weights and ranges become integers. Every bound is proved on
 * the way; a model that fails one is refused with an {@link InputException} that names the node.
 */
public final class VitGraphBuilder {
  private final Vit architecture;
  private final FloatWeights weights;
  private final Scheme scheme;

  /**
   * @param architecture sizes
   * @param weights parameters by timm name
   * @param scheme forms, widths, outlier channels
   */
  public VitGraphBuilder(Vit architecture, FloatWeights weights, Scheme scheme) {
    this.architecture = architecture;
    this.weights = weights;
    this.scheme = scheme;
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
        linear(NodeNames.PATCH_EMBED, patchEmbed(input), OutlierChannels.NONE, patch);
    List<Block> blocks = new ArrayList<>();
    float identity = embed;
    for (int i = 0; i < architecture.depth(); i++) {
      Block block = block(i, ranges, identity);
      blocks.add(block);
      identity = block.residual2().outputScale();
    }
    LayerNorm norm = norm(NodeNames.NORM, scale(ranges, NodeNames.NORM));
    return new VitGraph(
        architecture,
        scheme,
        input,
        patchEmbed,
        embed(patch, embed),
        blocks,
        norm,
        head(norm.outputScale()));
  }

  private Block block(int i, Map<String, Range> ranges, float identityScale) {
    String prefix = NodeNames.block(i, "");
    LayerNorm norm1 = norm(prefix + "norm1", scale(ranges, prefix + "norm1"));
    Linear qkv =
        linear(
            prefix + "attn.qkv",
            quantize(prefix + "attn.qkv", norm1.outputScale()),
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
        linear(
            prefix + "attn.proj",
            quantize(prefix + "attn.proj", attention.contextScale()),
            attention.contextOutliers(),
            scale(ranges, prefix + "attn.proj"));
    Residual residual1 =
        Residual.of(
            prefix + "residual1",
            proj.outputScale(),
            identityScale,
            scale(ranges, prefix + "residual1"));
    LayerNorm norm2 = norm(prefix + "norm2", scale(ranges, prefix + "norm2"));
    Linear fc1 =
        linear(
            prefix + "mlp.fc1",
            quantize(prefix + "mlp.fc1", norm2.outputScale()),
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
        linear(
            prefix + "mlp.fc2",
            quantize(prefix + "mlp.fc2", gelu.outputScale()),
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

  /**
   * @param inputScale scale of the input codes
   * @return the patch embedding's weight and bias codes
   */
  public QuantizedLinear patchEmbed(float inputScale) {
    return quantize("patch_embed.proj", inputScale);
  }

  /**
   * @param layer parameter prefix of a linear layer, such as {@code blocks.0.attn.qkv}
   * @param inputScale scale of its input codes
   * @return its weight and bias codes
   */
  public QuantizedLinear quantize(String layer, float inputScale) {
    float[] bias = weights.get(layer + ".bias");
    float[] weight = weights.get(layer + ".weight");
    return LinearQuantizer.quantize(
        layer,
        weight,
        bias,
        bias.length,
        weight.length / bias.length,
        inputScale,
        weights.frozenScale(layer + ".weight"));
  }

  /**
   * @param name full node name
   * @param quantized its weight and bias codes
   * @param inputOutliers outlier channels of its input
   * @param outputScale scale of its range
   * @return the node, with the scheme's outlier channels on its output
   */
  public Linear linear(
      String name, QuantizedLinear quantized, OutlierChannels inputOutliers, float outputScale) {
    return Linear.of(
        name,
        quantized,
        quantized.weight().length / quantized.bias().length,
        inputOutliers,
        outputScale,
        scheme.outliers(name),
        NodeNames.bits(name));
  }

  /**
   * @param name full node name and parameter prefix of a norm
   * @param outputScale scale of its range
   * @return the node
   */
  public LayerNorm norm(String name, float outputScale) {
    return LayerNorm.of(
        name,
        weights.get(name + ".weight"),
        weights.get(name + ".bias"),
        outputScale,
        scheme.outliers(name));
  }

  /**
   * @param patchScale scale of {@code patch_embed}
   * @param outputScale scale of {@code embed}
   * @return class token and positions
   */
  public Embed embed(float patchScale, float outputScale) {
    return Embed.of(weights.get("cls_token"), weights.get("pos_embed"), patchScale, outputScale);
  }

  /**
   * @param inputScale scale of the final norm
   * @return the classifier
   */
  public Linear head(float inputScale) {
    return Linear.logits(
        NodeNames.HEAD,
        quantize(NodeNames.HEAD, inputScale),
        architecture.dim(),
        scheme.outliers(NodeNames.NORM));
  }

  private static float scale(Map<String, Range> ranges, String node) {
    Range range = ranges.get(node);
    if (range == null) {
      throw new InputException("ranges: found none for node " + node);
    }
    return range.scale(NodeNames.bits(node));
  }
}
