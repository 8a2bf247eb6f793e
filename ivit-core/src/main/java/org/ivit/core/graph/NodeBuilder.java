package org.ivit.core.graph;

import java.util.ArrayList;
import java.util.List;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Swin;
import org.ivit.core.arithmetic.LinearQuantizer;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.QuantizedChannels;
import org.ivit.core.arithmetic.QuantizedLinear;

/**
 * Builds single nodes from float weights and scales: what freezing, calibration and each training
 * step share.
 */
public final class NodeBuilder {
  private static final String GELU = "mlp.act";
  private static final String READS_GELU = "mlp.fc2";

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
   * @param layer parameter prefix of a linear layer with a bias, such as {@code blocks.0.attn.qkv}
   * @param inputScale scale of its input codes
   * @return its weight and bias codes
   */
  public QuantizedLinear quantize(String layer, float inputScale) {
    float[] bias = weights.get(layer + ".bias");
    return quantize(layer, bias, bias.length, inputScale);
  }

  /**
   * @param layer parameter prefix of a linear layer without a bias
   * @param outputs number of its output channels
   * @param inputScale scale of its input codes
   * @return its weight codes, and biases of 0
   */
  public QuantizedLinear quantizeUnbiased(String layer, int outputs, float inputScale) {
    return quantize(layer, null, outputs, inputScale);
  }

  private QuantizedLinear quantize(String layer, float[] bias, int outputs, float inputScale) {
    float[] weight = weights.get(layer + ".weight");
    QuantizedLinear quantized =
        LinearQuantizer.quantize(
            layer,
            weight,
            bias,
            outputs,
            weight.length / outputs,
            inputScale,
            weights.frozenScale(layer + ".weight"));
    return layer.endsWith(READS_GELU) ? afterGelu(layer, quantized, inputScale) : quantized;
  }

  private QuantizedLinear afterGelu(String layer, QuantizedLinear quantized, float inputScale) {
    String act = gelu(layer);
    OutlierChannels outliers = scheme.outliers(act);
    int offset = scheme.offset(act, inputScale);
    int outlierOffset = scheme.offset(act, outliers.outlierScale(inputScale));
    return offset == 0 && outlierOffset == 0
        ? quantized
        : quantized.withInputOffset(layer, offset, outliers, outlierOffset);
  }

  /** The GELU that a layer reads. */
  private static String gelu(String layer) {
    return layer.substring(0, layer.length() - READS_GELU.length()) + GELU;
  }

  /**
   * The constants of a linear layer whose weights are quantized elsewhere.
   *
   * @param layer parameter prefix
   * @param channels what became of the weights
   * @param scales name and surroundings of the node
   * @return all of {@link #linear(LinearScales, QuantizedLinear)} but the weight codes
   */
  public LinearConstants constants(String layer, QuantizedChannels channels, LinearScales scales) {
    float[] biasScale = biasScale(channels, scales.inputScale());
    return LinearConstants.of(
        scales.name(),
        channels,
        bias(layer, channels, biasScale, scales.inputScale()),
        biasScale,
        scales.inputOutliers(),
        scales.outputScale(),
        scheme.outliers(scales.name()),
        NodeNames.bits(scales.name()));
  }

  private static float[] biasScale(QuantizedChannels channels, float inputScale) {
    float[] scales = new float[channels.scale().length];
    for (int c = 0; c < scales.length; c++) {
      scales[c] = channels.scale()[c] * inputScale;
    }
    return scales;
  }

  private int[] bias(
      String layer, QuantizedChannels channels, float[] biasScale, float inputScale) {
    float[] bias = weights.values().get(layer + ".bias");
    int[] codes = LinearQuantizer.biasCodes(layer, bias, biasScale);
    if (!layer.endsWith(READS_GELU)) {
      return codes;
    }
    OutlierChannels outliers = scheme.outliers(gelu(layer));
    return channels
        .sums()
        .withInputOffset(
            layer,
            codes,
            scheme.offset(gelu(layer), inputScale),
            outliers,
            scheme.offset(gelu(layer), outliers.outlierScale(inputScale)));
  }

  /**
   * The constants of the classifiers whose weights are quantized elsewhere.
   *
   * @param names of the classifiers
   * @param channels what became of the weights of each
   * @param inputScale scale of what feeds them
   * @param inputOutliers outlier channels of that
   * @return all of {@link Linear#logits} but the weight codes
   */
  public List<LinearConstants> headConstants(
      List<String> names,
      List<QuantizedChannels> channels,
      float inputScale,
      OutlierChannels inputOutliers) {
    List<float[]> biasScales = channels.stream().map(c -> biasScale(c, inputScale)).toList();
    List<int[]> biases = new ArrayList<>();
    for (int i = 0; i < names.size(); i++) {
      biases.add(bias(names.get(i), channels.get(i), biasScales.get(i), inputScale));
    }
    return LinearConstants.logits(names, channels, biases, biasScales, inputOutliers);
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
   * @param scales name and surroundings
   * @param quantized its weight and bias codes
   * @return the node
   */
  public Linear linear(LinearScales scales, QuantizedLinear quantized) {
    return linear(scales.name(), quantized, scales.inputOutliers(), scales.outputScale());
  }

  /**
   * What the linear layers of a block take from the nodes around them.
   *
   * @param site name and sizes of the block
   * @param scales of its nodes
   * @return for {@code attn.qkv}, {@code attn.proj}, {@code mlp.fc1} and {@code mlp.fc2}
   */
  public List<LinearScales> linears(Block site, NodeScales scales) {
    return List.of(
        fed(site, scales, "attn.qkv", "norm1"),
        fed(site, scales, "attn.proj", "attn.context"),
        fed(site, scales, "mlp.fc1", "norm2"),
        fed(site, scales, "mlp.fc2", "mlp.act"));
  }

  private LinearScales fed(Block site, NodeScales scales, String layer, String input) {
    String name = site.node(layer);
    String from = site.node(input);
    return new LinearScales(name, scales.of(from), scheme.outliers(from), scales.of(name));
  }

  /**
   * @param site name and sizes of a block
   * @param scales of its nodes
   * @param identityScale scale of the codes that feed it
   * @return the block
   */
  public IntegerBlock block(Block site, NodeScales scales, float identityScale) {
    List<Linear> linears =
        linears(site, scales).stream()
            .map(linear -> linear(linear, quantize(linear.name(), linear.inputScale())))
            .toList();
    return block(site, scales, identityScale, linears);
  }

  /**
   * Puts a block together whose linear layers are built.
   *
   * @param site name and sizes of the block
   * @param scales of its nodes
   * @param identityScale scale of the codes that feed it
   * @param linears in the order of {@link #linears}
   * @return the block
   */
  public IntegerBlock block(
      Block site, NodeScales scales, float identityScale, List<Linear> linears) {
    Linear qkv = linears.get(0);
    Linear proj = linears.get(1);
    Linear fc1 = linears.get(2);
    Linear fc2 = linears.get(3);
    String middle = site.node("residual1");
    String output = site.node("residual2");
    float middleScale = scales.of(middle);
    return new IntegerBlock(
        site,
        norm(site.node("norm1"), scales.of(site.node("norm1"))),
        qkv,
        attention(site, scales, qkv.outputScale()),
        proj,
        Residual.of(middle, proj.outputScale(), identityScale, middleScale),
        norm(site.node("norm2"), scales.of(site.node("norm2"))),
        fc1,
        gelu(site, fc1.outputScale(), scales.of(site.node("mlp.act"))),
        fc2,
        Residual.of(output, fc2.outputScale(), middleScale, scales.of(output)));
  }

  /**
   * @param site name and sizes of a block
   * @param scales of its nodes
   * @param qkvScale scale of {@code attn.qkv}
   * @return the attention between the codes of {@code attn.qkv} and of {@code attn.context}
   */
  public Attention attention(Block site, NodeScales scales, float qkvScale) {
    float scoresScale = scales.of(site.node("attn.scores"));
    PositionBias position =
        site.windows() == null
            ? null
            : position(site, scoresScale, scales.of(site.node(NodeNames.BIASED)));
    return Attention.of(
        site, scheme, qkvScale, scoresScale, position, scales.of(site.node("attn.context")));
  }

  /**
   * @param site name and sizes of a block with windows
   * @param scoresScale scale of its scores
   * @param outputScale scale of its biased scores
   * @return the relative position bias
   */
  public PositionBias position(Block site, float scoresScale, float outputScale) {
    String table = site.node(NodeNames.POSITION_TABLE);
    return PositionBias.of(
        site.node(NodeNames.BIASED),
        table,
        site.heads(),
        weights.get(table),
        scoresScale,
        outputScale);
  }

  /**
   * @param site name and sizes of a block
   * @param inputScale scale of {@code mlp.fc1}
   * @param outputScale scale of {@code mlp.act}
   * @return the activation
   */
  public Gelu gelu(Block site, float inputScale, float outputScale) {
    String name = site.node("mlp.act");
    return Gelu.of(
        name,
        scheme.gelu(),
        inputScale,
        scheme.outliers(site.node("mlp.fc1")),
        outputScale,
        scheme.outliers(name));
  }

  /**
   * @param stage a stage of a Swin that a merging follows
   * @param scales of its nodes
   * @return the merging
   */
  public IntegerMerging merging(Swin.Stage stage, NodeScales scales) {
    float normScale = scales.of(stage.mergeNorm());
    return merging(stage, scales, quantizeUnbiased(stage.reduction(), 2 * stage.dim(), normScale));
  }

  /**
   * @param stage a stage of a Swin that a merging follows
   * @param scales of its nodes
   * @param reduction weight codes of its product
   * @return the merging
   */
  public IntegerMerging merging(Swin.Stage stage, NodeScales scales, QuantizedLinear reduction) {
    LayerNorm norm = norm(stage.mergeNorm(), scales.of(stage.mergeNorm()));
    String name = stage.reduction();
    return new IntegerMerging(
        norm, linear(name, reduction, norm.outputOutliers(), scales.of(name)));
  }

  /**
   * @param node full node name of the patch embedding's product
   * @param inputScale scale of the pixels
   * @param outputScale scale of the node
   * @return the product
   */
  public Linear patchEmbed(String node, float inputScale, float outputScale) {
    return linear(
        node, quantize(NodeNames.PATCH_PROJECTION, inputScale), OutlierChannels.NONE, outputScale);
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
   * @param leading parameters of the tokens before the patches
   * @param patchScale scale of {@code patch_embed}
   * @param outputScale scale of {@code embed}
   * @return leading tokens and positions
   */
  public Embed embed(List<String> leading, float patchScale, float outputScale) {
    return Embed.of(
        leading,
        leading.stream().map(weights::get).toList(),
        weights.get("pos_embed"),
        patchScale,
        outputScale);
  }

  /**
   * @param names of the classifiers
   * @param inputScale scale of what feeds them: the final norm, or the pool
   * @return the classifiers; the pool has no outlier channels, nor has the norm before it
   */
  public List<Linear> heads(List<String> names, float inputScale) {
    return Linear.logits(
        names,
        names.stream().map(name -> quantize(name, inputScale)).toList(),
        scheme.outliers(NodeNames.NORM));
  }

  /**
   * @param inputScale scale of the pool
   * @return the only classifier
   */
  public Linear head(float inputScale) {
    return heads(List.of(NodeNames.HEAD), inputScale).get(0);
  }
}
