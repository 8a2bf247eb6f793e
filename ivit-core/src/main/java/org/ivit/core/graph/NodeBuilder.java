package org.ivit.core.graph;

import java.util.ArrayList;
import java.util.List;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Head;
import org.ivit.core.architecture.LinearSpec;
import org.ivit.core.architecture.Merging;
import org.ivit.core.architecture.Node;
import org.ivit.core.architecture.Stem;
import org.ivit.core.arithmetic.LinearQuantizer;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.QuantizedChannels;
import org.ivit.core.arithmetic.QuantizedLinear;
import org.ivit.core.scheme.NodeScales;
import org.ivit.core.scheme.Scheme;

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
   * @param layer a product with weights
   * @param inputScale scale of its input codes
   * @return its weight and bias codes; biases of 0 where it has none
   */
  public QuantizedLinear quantize(LinearSpec layer, float inputScale) {
    String name = layer.parameters();
    QuantizedLinear quantized =
        LinearQuantizer.quantize(
            name,
            weights.get(layer.weight()),
            layer.biased() ? weights.get(layer.bias()) : null,
            layer.outputs(),
            layer.inputs(),
            inputScale,
            weights.frozenScale(layer.weight()));
    OutlierChannels outliers = scheme.outliers(layer.input());
    int offset = scheme.offset(layer.input(), inputScale);
    int outlierOffset = scheme.offset(layer.input(), outliers.outlierScale(inputScale));
    return offset == 0 && outlierOffset == 0
        ? quantized
        : quantized.withInputOffset(name, offset, outliers, outlierOffset);
  }

  /**
   * The constants of a product whose weights are quantized elsewhere.
   *
   * @param layer a product with weights
   * @param channels what became of the weights
   * @param inputScale scale of its input codes
   * @param outputScale scale of its range
   * @return all of {@link #linear} but the weight codes
   */
  public LinearConstants constants(
      LinearSpec layer, QuantizedChannels channels, float inputScale, float outputScale) {
    float[] biasScale = biasScale(channels, inputScale);
    return LinearConstants.of(
        layer.node().name(),
        channels,
        bias(layer, channels, biasScale, inputScale),
        biasScale,
        scheme.outliers(layer.input()),
        outputScale,
        scheme.outliers(layer.node()),
        layer.node().bits());
  }

  private static float[] biasScale(QuantizedChannels channels, float inputScale) {
    float[] scales = new float[channels.scale().length];
    for (int c = 0; c < scales.length; c++) {
      scales[c] = channels.scale()[c] * inputScale;
    }
    return scales;
  }

  private int[] bias(
      LinearSpec layer, QuantizedChannels channels, float[] biasScale, float inputScale) {
    float[] bias = layer.biased() ? weights.get(layer.bias()) : null;
    int[] codes = LinearQuantizer.biasCodes(layer.parameters(), bias, biasScale);
    OutlierChannels outliers = scheme.outliers(layer.input());
    return channels
        .sums()
        .withInputOffset(
            layer.parameters(),
            codes,
            scheme.offset(layer.input(), inputScale),
            outliers,
            scheme.offset(layer.input(), outliers.outlierScale(inputScale)));
  }

  /**
   * The constants of the classifiers whose weights are quantized elsewhere.
   *
   * @param head sizes
   * @param channels what became of the weights of each
   * @param inputScale scale of what feeds them
   * @return all of {@link #classifiers} but the weight codes
   */
  public List<LinearConstants> classifierConstants(
      Head head, List<QuantizedChannels> channels, float inputScale) {
    List<float[]> biasScales = channels.stream().map(c -> biasScale(c, inputScale)).toList();
    List<int[]> biases = new ArrayList<>();
    for (int i = 0; i < channels.size(); i++) {
      LinearSpec layer = head.linears().get(i);
      biases.add(bias(layer, channels.get(i), biasScales.get(i), inputScale));
    }
    return LinearConstants.logits(
        head.classifiers(), channels, biases, biasScales, scheme.outliers(head.features()));
  }

  /**
   * @param layer a product with weights
   * @param quantized its weight and bias codes
   * @param outputScale scale of its range
   * @return the node, with the scheme's outlier channels on its input and output
   */
  public Linear linear(LinearSpec layer, QuantizedLinear quantized, float outputScale) {
    return Linear.of(
        layer.node().name(),
        quantized,
        scheme.outliers(layer.input()),
        outputScale,
        scheme.outliers(layer.node()),
        layer.node().bits());
  }

  private Linear linear(LinearSpec layer, NodeScales scales) {
    QuantizedLinear quantized = quantize(layer, scales.of(layer.input()));
    return linear(layer, quantized, scales.of(layer.node()));
  }

  /**
   * @param stem sizes
   * @param scales of its nodes
   * @return the stem
   */
  public IntegerStem stem(Stem stem, NodeScales scales) {
    float outputScale = scales.of(stem.output());
    Linear projection = linear(stem.projection(), scales);
    return stem.normed()
        ? new IntegerStem(stem, projection, null, norm(stem.output(), outputScale))
        : new IntegerStem(
            stem, projection, embed(stem, projection.outputScale(), outputScale), null);
  }

  /**
   * @param stem sizes
   * @param patchScale scale of the product over patches
   * @param outputScale scale of the sum
   * @return leading tokens and positions
   */
  public Embed embed(Stem stem, float patchScale, float outputScale) {
    return Embed.of(stem, weights, patchScale, outputScale);
  }

  /**
   * @param block sizes
   * @param scales of its nodes
   * @param identityScale scale of the codes that feed it
   * @return the block
   */
  public IntegerBlock block(Block block, NodeScales scales, float identityScale) {
    return block(
        block,
        scales,
        identityScale,
        block.linears().stream().map(layer -> linear(layer, scales)).toList());
  }

  /**
   * Puts a block together whose linear layers are built.
   *
   * @param block sizes
   * @param scales of its nodes
   * @param identityScale scale of the codes that feed it
   * @param linears in the order of {@link Block#linears}
   * @return the block
   */
  public IntegerBlock block(
      Block block, NodeScales scales, float identityScale, List<Linear> linears) {
    Linear qkv = linears.get(0);
    Linear proj = linears.get(1);
    Linear fc1 = linears.get(2);
    Linear fc2 = linears.get(3);
    float middleScale = scales.of(block.residual1());
    return new IntegerBlock(
        block,
        norm(block.norm1(), scales.of(block.norm1())),
        qkv,
        attention(block, scales, qkv.outputScale()),
        proj,
        Residual.of(block.residual1().name(), proj.outputScale(), identityScale, middleScale),
        norm(block.norm2(), scales.of(block.norm2())),
        fc1,
        gelu(block, fc1.outputScale(), scales.of(block.act())),
        fc2,
        Residual.of(
            block.residual2().name(),
            fc2.outputScale(),
            middleScale,
            scales.of(block.residual2())));
  }

  /**
   * @param block sizes
   * @param scales of its nodes
   * @param qkvScale scale of {@code attn.qkv}
   * @return the attention between the codes of {@code attn.qkv} and of {@code attn.context}
   */
  public Attention attention(Block block, NodeScales scales, float qkvScale) {
    float scoresScale = scales.of(block.scores());
    PositionBias position =
        block.windows() == null ? null : position(block, scoresScale, scales.of(block.biased()));
    return Attention.of(block, scheme, qkvScale, scoresScale, position, scales.of(block.context()));
  }

  /**
   * @param block a block with windows
   * @param scoresScale scale of its scores
   * @param outputScale scale of its biased scores
   * @return the relative position bias
   */
  public PositionBias position(Block block, float scoresScale, float outputScale) {
    String table = block.positionTable();
    return PositionBias.of(
        block.biased().name(), table, block.heads(), weights.get(table), scoresScale, outputScale);
  }

  /**
   * @param block sizes
   * @param inputScale scale of {@code mlp.fc1}
   * @param outputScale scale of {@code mlp.act}
   * @return the activation function
   */
  public Gelu gelu(Block block, float inputScale, float outputScale) {
    return Gelu.of(
        block.act().name(),
        scheme.gelu(),
        inputScale,
        scheme.outliers(block.fc1()),
        outputScale,
        scheme.outliers(block.act()));
  }

  /**
   * @param merging sizes
   * @param scales of its nodes
   * @return the merging
   */
  public IntegerMerging merging(Merging merging, NodeScales scales) {
    return new IntegerMerging(
        merging,
        norm(merging.norm(), scales.of(merging.norm())),
        linear(merging.reduction(), scales));
  }

  /**
   * @param node a norm; its parameters have its name
   * @param outputScale scale of its range
   * @return the node
   */
  public LayerNorm norm(Node node, float outputScale) {
    return LayerNorm.of(
        node.name(),
        weights.get(node.name() + ".weight"),
        weights.get(node.name() + ".bias"),
        outputScale,
        scheme.outliers(node));
  }

  /**
   * @param head sizes
   * @param scales of its nodes
   * @return the head
   */
  public IntegerHead head(Head head, NodeScales scales) {
    LayerNorm norm = norm(head.norm(), scales.of(head.norm()));
    Pool pool =
        head.pooled() ? Pool.of(norm.outputScale(), head.tokens(), scales.of(head.pool())) : null;
    return new IntegerHead(head, norm, pool, classifiers(head, scales.of(head.features())));
  }

  /**
   * @param head sizes
   * @param inputScale scale of what feeds the classifiers
   * @return the classifiers
   */
  public List<Linear> classifiers(Head head, float inputScale) {
    return Linear.logits(
        head.classifiers(),
        head.linears().stream().map(layer -> quantize(layer, inputScale)).toList(),
        scheme.outliers(head.features()));
  }
}
