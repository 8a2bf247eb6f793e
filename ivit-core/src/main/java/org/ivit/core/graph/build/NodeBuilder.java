package org.ivit.core.graph.build;

import java.util.ArrayList;
import java.util.List;
import org.ivit.core.architecture.ActivationSpec;
import org.ivit.core.architecture.AttentionPooling;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Head;
import org.ivit.core.architecture.LinearSpec;
import org.ivit.core.architecture.MeanPooling;
import org.ivit.core.architecture.Merging;
import org.ivit.core.architecture.Node;
import org.ivit.core.architecture.Norm;
import org.ivit.core.architecture.Stem;
import org.ivit.core.arithmetic.ILayerNorm;
import org.ivit.core.arithmetic.LinearQuantizer;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.QuantizedChannels;
import org.ivit.core.arithmetic.QuantizedLinear;
import org.ivit.core.graph.Attention;
import org.ivit.core.graph.Embed;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.graph.Gating;
import org.ivit.core.graph.Gelu;
import org.ivit.core.graph.IntegerAttentionPooling;
import org.ivit.core.graph.IntegerBlock;
import org.ivit.core.graph.IntegerHead;
import org.ivit.core.graph.IntegerMeanPooling;
import org.ivit.core.graph.IntegerMerging;
import org.ivit.core.graph.IntegerNorm;
import org.ivit.core.graph.IntegerStem;
import org.ivit.core.graph.LayerNorm;
import org.ivit.core.graph.Linear;
import org.ivit.core.graph.Pool;
import org.ivit.core.graph.PositionBias;
import org.ivit.core.graph.QueryAttention;
import org.ivit.core.graph.Residual;
import org.ivit.core.graph.Rotation;
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
            weights.frozenScale(layer.weight()),
            weights.grid(layer.weight()));
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
   * @param scales of what feeds them
   * @return all of {@link #classifiers} but the weight codes
   */
  public List<LinearConstants> classifierConstants(
      Head head, List<QuantizedChannels> channels, NodeScales scales) {
    List<float[]> biasScales = new ArrayList<>();
    List<int[]> biases = new ArrayList<>();
    for (int i = 0; i < channels.size(); i++) {
      LinearSpec layer = head.linears().get(i);
      float inputScale = scales.of(layer.input());
      biasScales.add(biasScale(channels.get(i), inputScale));
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
        ? new IntegerStem(
            stem,
            projection,
            null,
            norm(stem.output(), stem.epsilon(), projection.outputScale(), outputScale))
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
    Linear value = block.gated() ? linears.get(3) : null;
    Linear fc2 = linears.get(linears.size() - 1);
    float middleScale = scales.of(block.residual1());
    Rotation rotation =
        block.rotary() == null
            ? null
            : Rotation.of(block, qkv.outputScale(), scales.of(block.rope()));
    return new IntegerBlock(
        block,
        norm(block.norm1(), block.epsilon(), identityScale, scales.of(block.norm1())),
        qkv,
        rotation,
        attention(block, scales, rotation == null ? qkv.outputScale() : rotation.outputScale()),
        proj,
        Residual.of(block.residual1().name(), proj.outputScale(), identityScale, middleScale),
        norm(block.norm2(), block.epsilon(), middleScale, scales.of(block.norm2())),
        fc1,
        block.gated()
            ? null
            : gelu(block.activations().get(0), fc1.outputScale(), scales.of(block.act())),
        value,
        block.gated() ? gating(block, scales) : null,
        block.gatedNorm() ? mlpNorm(block, scales) : null,
        fc2,
        Residual.of(
            block.residual2().name(),
            fc2.outputScale(),
            middleScale,
            scales.of(block.residual2())));
  }

  /**
   * @param block with a gated MLP
   * @param scales of its nodes
   * @return the gating
   */
  public Gating gating(Block block, NodeScales scales) {
    return Gating.of(
        block,
        scales.of(block.fc1()),
        scales.of(block.valueLinear().node()),
        scales.of(block.act()),
        scheme.outliers(block.act()));
  }

  /**
   * @param block with a norm behind its gating
   * @param scales of its nodes
   * @return the norm
   */
  public LayerNorm mlpNorm(Block block, NodeScales scales) {
    return norm(
        block.mlpNorm(), block.epsilon(), scales.of(block.act()), scales.of(block.mlpNorm()));
  }

  /**
   * @param block sizes
   * @param scales of its nodes
   * @param qkvScale scale of {@link Block#attended}
   * @return the attention between these codes and those of {@code attn.context}
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
   * @param activation what it is
   * @param inputScale scale of {@code mlp.fc1}
   * @param outputScale scale of {@code mlp.act}
   * @return the activation function
   */
  public Gelu gelu(ActivationSpec activation, float inputScale, float outputScale) {
    return Gelu.of(
        activation.node().name(),
        scheme.gelu(),
        activation.function(),
        inputScale,
        scheme.outliers(activation.input()),
        outputScale,
        scheme.outliers(activation.node()));
  }

  /**
   * @param merging sizes
   * @param scales of its nodes
   * @param inputScale scale of the codes that feed it
   * @return the merging
   */
  public IntegerMerging merging(Merging merging, NodeScales scales, float inputScale) {
    return new IntegerMerging(
        merging,
        norm(merging.norm(), merging.epsilon(), inputScale, scales.of(merging.norm())),
        linear(merging.reduction(), scales));
  }

  /**
   * @param node a norm; its parameters have its name
   * @param epsilon of the float model; it counts where the scheme says so
   * @param inputScale scale of the codes that are normed
   * @param outputScale scale of its range
   * @return the node
   */
  public LayerNorm norm(Node node, double epsilon, float inputScale, float outputScale) {
    float[] gamma = weights.get(node.name() + ".weight");
    return LayerNorm.of(
        node.name(),
        gamma,
        weights.get(node.name() + ".bias"),
        epsilon(node, epsilon, gamma.length, inputScale),
        outputScale,
        scheme.outliers(node));
  }

  /**
   * @param node a norm
   * @param epsilon of the float model
   * @param channels number of channels
   * @param inputScale scale of the codes that are normed
   * @return E of {@code docs/arithmetic.md#layernorm}; 0 where the scheme leaves it out
   */
  public long epsilon(Node node, double epsilon, int channels, float inputScale) {
    return scheme.normEpsilon()
        ? ILayerNorm.epsilon(node.name(), epsilon, channels, inputScale)
        : 0;
  }

  /**
   * @param norm sizes
   * @param scales of its nodes
   * @param inputScale scale of the codes that feed it
   * @return the norm
   */
  public IntegerNorm norm(Norm norm, NodeScales scales, float inputScale) {
    return new IntegerNorm(
        norm, norm(norm.output(), norm.epsilon(), inputScale, scales.of(norm.output())));
  }

  /**
   * @param pooling sizes
   * @param scales of its nodes
   * @param inputScale scale of the codes that feed it
   * @return the mean
   */
  public IntegerMeanPooling meanPooling(MeanPooling pooling, NodeScales scales, float inputScale) {
    return new IntegerMeanPooling(
        pooling, Pool.of(inputScale, pooling.pooledTokens(), scales.of(pooling.output())));
  }

  /**
   * @param pooling sizes
   * @param scales of its nodes
   * @param inputScale scale of the codes that feed it
   * @return the attention pooling
   */
  public IntegerAttentionPooling attentionPooling(
      AttentionPooling pooling, NodeScales scales, float inputScale) {
    return attentionPooling(
        pooling,
        scales,
        inputScale,
        pooling.linears().stream().map(layer -> linear(layer, scales)).toList());
  }

  /**
   * Puts an attention pooling together whose linear layers are built.
   *
   * @param pooling sizes
   * @param scales of its nodes
   * @param inputScale scale of the codes that feed it
   * @param linears in the order of {@link AttentionPooling#linears}
   * @return the attention pooling
   */
  public IntegerAttentionPooling attentionPooling(
      AttentionPooling pooling, NodeScales scales, float inputScale, List<Linear> linears) {
    Linear proj = linears.get(2);
    Linear fc1 = linears.get(3);
    Linear fc2 = linears.get(4);
    double epsilon = pooling.epsilon();
    return new IntegerAttentionPooling(
        pooling,
        norm(pooling.norm(), epsilon, inputScale, scales.of(pooling.norm())),
        linears.get(0),
        linears.get(1),
        queryAttention(pooling, scales),
        proj,
        norm(pooling.norm2(), epsilon, proj.outputScale(), scales.of(pooling.norm2())),
        fc1,
        gelu(pooling.act(), fc1.outputScale(), scales.of(pooling.act().node())),
        fc2,
        Residual.of(
            pooling.residual().name(),
            fc2.outputScale(),
            proj.outputScale(),
            scales.of(pooling.residual())));
  }

  /**
   * @param pooling sizes
   * @param scales of its nodes
   * @return softmax and context
   */
  public QueryAttention queryAttention(AttentionPooling pooling, NodeScales scales) {
    return QueryAttention.of(
        pooling,
        scheme,
        scales.of(pooling.scoresLinear().node()),
        scales.of(pooling.valuesLinear().node()),
        scales.of(pooling.context()));
  }

  /**
   * @param head sizes
   * @param scales of its nodes
   * @param inputScale scale of the codes that feed it
   * @return the head
   */
  public IntegerHead head(Head head, NodeScales scales, float inputScale) {
    if (!head.normed()) {
      return new IntegerHead(head, null, null, List.of(), inputScale);
    }
    LayerNorm norm = norm(head.norm(), head.epsilon(), inputScale, scales.of(head.norm()));
    if (head.classifiers().isEmpty()) {
      return new IntegerHead(head, norm, null, List.of(), 0);
    }
    Pool pool =
        head.pooled()
            ? Pool.of(norm.outputScale(), head.pooledTokens(), scales.of(head.pool()))
            : null;
    return new IntegerHead(head, norm, pool, classifiers(head, scales), 0);
  }

  /**
   * @param head sizes
   * @param scales of what feeds the classifiers
   * @return the classifiers
   */
  public List<Linear> classifiers(Head head, NodeScales scales) {
    return Linear.logits(
        head.classifiers(),
        head.linears().stream().map(layer -> quantize(layer, scales.of(layer.input()))).toList(),
        scheme.outliers(head.features()));
  }
}
