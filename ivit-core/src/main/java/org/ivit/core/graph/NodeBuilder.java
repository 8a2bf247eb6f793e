package org.ivit.core.graph;

import org.ivit.core.arithmetic.LinearQuantizer;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.QuantizedLinear;

/**
 * Builds single nodes from float weights and scales: what freezing, calibration and each training
 * step share.
 */
public final class NodeBuilder {
  private final FloatWeights weights;
  private final Scheme scheme;

  /**
   * @param weights parameters by timm name
   * @param scheme forms, widths, outlier channels
   */
  public NodeBuilder(FloatWeights weights, Scheme scheme) {
    this.weights = weights;
    this.scheme = scheme;
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
        name, quantized, inputOutliers, outputScale, scheme.outliers(name), NodeNames.bits(name));
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
        NodeNames.HEAD, quantize(NodeNames.HEAD, inputScale), scheme.outliers(NodeNames.NORM));
  }
}
