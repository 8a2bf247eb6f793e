package org.ivit.core.calibration;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Swin;
import org.ivit.core.architecture.Vit;
import org.ivit.core.architecture.Windows;
import org.ivit.core.arithmetic.AttentionScales;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.ILayerNorm;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.Pooling;
import org.ivit.core.arithmetic.QuantizedLinear;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.arithmetic.ShiftGelu;
import org.ivit.core.engine.MatrixProducts;
import org.ivit.core.engine.reference.NodeKernels;
import org.ivit.core.graph.Attention;
import org.ivit.core.graph.Embed;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.graph.Gelu;
import org.ivit.core.graph.LayerNorm;
import org.ivit.core.graph.Linear;
import org.ivit.core.graph.NodeBuilder;
import org.ivit.core.graph.NodeNames;
import org.ivit.core.graph.Pool;
import org.ivit.core.graph.PositionBias;
import org.ivit.core.graph.Range;
import org.ivit.core.graph.Residual;
import org.ivit.core.graph.Scheme;

/**
 * The {@code observing} forward of §10: node by node, the values are computed from the integers,
 * observed, and only then requantized with the range that the observer answered.
 */
public final class ObservingForward {
  private final Architecture architecture;
  private final FloatWeights weights;
  private final Scheme scheme;
  private final MatrixProducts products;
  private final NodeObserver observer;
  private final NodeBuilder nodes;
  private final SortedMap<String, Range> ranges = new TreeMap<>();

  /**
   * @param architecture sizes
   * @param weights parameters by timm name
   * @param scheme forms, widths, outlier channels
   * @param products matrix products
   * @param observer chooses the ranges
   */
  public ObservingForward(
      Architecture architecture,
      FloatWeights weights,
      Scheme scheme,
      MatrixProducts products,
      NodeObserver observer) {
    this.architecture = architecture;
    this.weights = weights;
    this.scheme = scheme;
    this.products = products;
    this.observer = observer;
    this.nodes = new NodeBuilder(weights, scheme);
  }

  /** Returns the ranges after the last batch, by full node name. */
  public SortedMap<String, Range> ranges() {
    return Collections.unmodifiableSortedMap(new TreeMap<>(ranges));
  }

  /**
   * Observes one batch.
   *
   * @param pixels normalised pixels, float32, [pictures][3][image][image]
   * @param pictures number of pictures
   * @return logits of the batch, [pictures][classes]
   */
  public int[] run(float[] pixels, int pictures) {
    float inputScale = observe(NodeNames.INPUT, pixels, 1);
    byte[] input = Quantizer.codes8(NodeNames.INPUT, pixels, inputScale);
    byte[] patches =
        NodeKernels.unfold(input, pictures, architecture.image(), architecture.patch());
    return architecture instanceof Swin swin
        ? swin(swin, patches, inputScale)
        : vit((Vit) architecture, patches, inputScale, pictures);
  }

  private int[] vit(Vit vit, byte[] patches, float inputScale, int pictures) {
    Stream x = embed(vit, patchEmbed(NodeNames.PATCH_EMBED, patches, inputScale), pictures);
    for (Block site : vit.blocks()) {
      x = block(site, x);
    }
    short[] leading = NodeKernels.leading(x.codes, pictures, vit.leadingTokens() * vit.dim());
    Normed norm = norm(NodeNames.NORM, leading);
    return logits(vit.classifiers(), norm.codes, norm.scale);
  }

  private int[] swin(Swin swin, byte[] patches, float inputScale) {
    Stream x = patchNorm(patchEmbed(NodeNames.PATCH_PROJECTION, patches, inputScale).codes8());
    for (Swin.Stage stage : swin.stages()) {
      for (Block site : stage.blocks()) {
        x = block(site, x);
      }
      if (stage.merges()) {
        x = merge(stage, x);
      }
    }
    Normed norm = norm(NodeNames.NORM, x.codes);
    int tokens = swin.pooledTokens();
    float poolScale =
        observe(NodeNames.POOL, means(norm, tokens, swin.features()), swin.features());
    Pool pool = Pool.of(norm.scale, tokens, poolScale);
    byte[] pooled = NodeKernels.pool(pool, norm.codes, swin.features());
    return logits(List.of(NodeNames.HEAD), pooled, poolScale);
  }

  private int[] logits(List<String> heads, byte[] codes, float scale) {
    return NodeKernels.logits(nodes.heads(heads, scale), codes, products);
  }

  /** A 16-bit tensor with its scale. */
  private record Stream(short[] codes, float scale) {}

  /** An 8-bit tensor with its scale and outlier channels. */
  private record Normed(byte[] codes, float scale, OutlierChannels outliers) {
    Normed inOrder(int[] order, int channels) {
      return new Normed(NodeKernels.partition(codes, order, channels), scale, outliers);
    }
  }

  /** A linear node with the accumulators that it was observed on. */
  private record Projected(Linear node, int[] acc) {
    byte[] codes8() {
      return NodeKernels.requantize8(node, acc);
    }

    Stream stream() {
      return new Stream(NodeKernels.requantize16(node, acc), node.outputScale());
    }
  }

  private Projected patchEmbed(String name, byte[] patches, float inputScale) {
    return linear(
        name,
        nodes.quantize(NodeNames.PATCH_PROJECTION, inputScale),
        patches,
        OutlierChannels.NONE);
  }

  private Stream patchNorm(byte[] projected) {
    LayerNorm node = observedNorm(NodeNames.PATCH_NORM, NodeKernels.widen(projected));
    return new Stream(NodeKernels.layerNorm16(node, projected), node.outputScale());
  }

  private Stream merge(Swin.Stage stage, Stream x) {
    Normed norm =
        norm(stage.mergeNorm(), NodeKernels.neighbours(x.codes, stage.resolution(), stage.dim()));
    String name = stage.reduction();
    QuantizedLinear weight = nodes.quantizeUnbiased(name, 2 * stage.dim(), norm.scale);
    Projected reduction = linear(name, weight, norm.codes, norm.outliers);
    return new Stream(NodeKernels.widen(reduction.codes8()), reduction.node.outputScale());
  }

  private static float[] means(Normed norm, int tokens, int channels) {
    double scale = Pooling.sumScale(norm.scale, tokens);
    float[] values = new float[norm.codes.length / tokens];
    for (int i = 0; i < values.length; i++) {
      long sum = 0;
      int from = i / channels * tokens * channels + i % channels;
      for (int t = 0; t < tokens; t++) {
        sum += norm.codes[from + t * channels];
      }
      values[i] = (float) (sum * scale);
    }
    return values;
  }

  private Stream embed(Vit vit, Projected patchEmbed, int pictures) {
    short[] patches = patchEmbed.stream().codes;
    float patchScale = patchEmbed.node.outputScale();
    float[] position = weights.get("pos_embed");
    float positionScale = Quantizer.scaleOf("pos_embed", position, 16);
    short[] positionCodes = Quantizer.codes16("pos_embed", position, positionScale);
    // Codes of the leading tokens do not depend on the range.
    int[] leading = nodes.embed(vit.leading(), patchScale, 1).leading();
    int length = positionCodes.length;
    float[] values = new float[pictures * length];
    for (int n = 0; n < pictures; n++) {
      for (int i = 0; i < length; i++) {
        int z =
            i < leading.length
                ? leading[i]
                : patches[n * (length - leading.length) + i - leading.length];
        values[n * length + i] = sum(z, patchScale, positionCodes[i], positionScale);
      }
    }
    float scale = observe(NodeNames.EMBED, values, vit.dim());
    Embed node = nodes.embed(vit.leading(), patchScale, scale);
    return new Stream(NodeKernels.embed(node, patches, pictures), scale);
  }

  private Stream block(Block site, Stream x) {
    int dim = site.dim();
    int[] order = site.windows() == null ? null : site.windows().order();
    Normed norm1 = norm(site.node("norm1"), x.codes);
    Normed grouped = order == null ? norm1 : norm1.inOrder(order, dim);
    Normed context = attention(site, linear(site.node("attn.qkv"), grouped));
    Stream proj = linear(site.node("attn.proj"), context).stream();
    Stream branch =
        order == null ? proj : new Stream(NodeKernels.reverse(proj.codes, order, dim), proj.scale);
    Stream residual1 = residual(site.node("residual1"), branch, x, dim);
    Normed norm2 = norm(site.node("norm2"), residual1.codes);
    Normed act = gelu(site, linear(site.node("mlp.fc1"), norm2));
    Stream fc2 = linear(site.node("mlp.fc2"), act).stream();
    return residual(site.node("residual2"), fc2, residual1, dim);
  }

  private Normed norm(String name, short[] x) {
    LayerNorm node = observedNorm(name, x);
    return new Normed(NodeKernels.layerNorm(node, x), node.outputScale(), node.outputOutliers());
  }

  private LayerNorm observedNorm(String name, short[] x) {
    float[] gamma = weights.get(name + ".weight");
    float[] beta = weights.get(name + ".bias");
    int channels = gamma.length;
    float[] values = new float[x.length];
    double[] factor = new double[channels];
    for (int c = 0; c < channels; c++) {
      factor[c] = ILayerNorm.valueFactor(gamma[c], channels);
    }
    int[] normalised = new int[channels];
    for (int row = 0; row < x.length; row += channels) {
      ILayerNorm.normalise(x, row, channels, normalised);
      for (int c = 0; c < channels; c++) {
        values[row + c] = (float) (normalised[c] * factor[c] + beta[c]);
      }
    }
    return nodes.norm(name, observe(name, values, channels));
  }

  private Projected linear(String name, Normed input) {
    return linear(name, nodes.quantize(name, input.scale), input.codes, input.outliers);
  }

  private Projected linear(
      String name, QuantizedLinear quantized, byte[] codes, OutlierChannels inputOutliers) {
    int outputs = quantized.bias().length;
    int[] acc = accumulate(codes, quantized.weight(), quantized.bias(), inputOutliers);
    float[] values = new float[acc.length];
    for (int row = 0; row < acc.length; row += outputs) {
      for (int c = 0; c < outputs; c++) {
        values[row + c] = (float) (acc[row + c] * (double) quantized.biasScale()[c]);
      }
    }
    float scale = observe(name, values, outputs);
    return new Projected(nodes.linear(name, quantized, inputOutliers, scale), acc);
  }

  private int[] accumulate(byte[] x, byte[] weight, int[] bias, OutlierChannels inputOutliers) {
    int inputs = weight.length / bias.length;
    return products.linear(x, x.length / inputs, weight, bias, inputs, inputOutliers);
  }

  private Normed attention(Block site, Projected qkvNode) {
    byte[] qkv = qkvNode.codes8();
    float qkvScale = qkvNode.node.outputScale();
    int tokens = site.rowTokens();
    int groups = qkv.length / (3 * site.dim() * tokens);
    int heads = site.heads();
    int headDim = site.headDim();
    String scoresName = site.node("attn.scores");
    int[] product = products.scores(qkv, groups, tokens, heads, headDim);
    float scoresScale =
        observe(scoresName, values(product, AttentionScales.scores(qkvScale, headDim)), 1);
    byte[] scores =
        NodeKernels.scores(Attention.scores(scoresName, qkvScale, headDim, scoresScale), product);
    Windows windows = site.windows();
    PositionBias position = windows == null ? null : position(site, scores, scoresScale);
    // The context's range is not known yet; softmax does not depend on it.
    Attention unscaled = Attention.of(site, scheme, qkvScale, scoresScale, position, 1);
    short[] probabilities =
        windows == null
            ? NodeKernels.softmax(unscaled.softmax(), scores, tokens)
            : NodeKernels.softmax(
                unscaled.softmax(),
                NodeKernels.biased(position, scores, windows.relativeIndex()),
                windows,
                heads);
    int[] context =
        NodeKernels.normalise(
            unscaled,
            products.context(probabilities, qkv, groups, tokens, heads, headDim),
            probabilities,
            tokens);
    float contextScale =
        observe(
            site.node("attn.context"),
            values(context, AttentionScales.context(qkvScale, unscaled.softmax().contextBits())),
            site.dim());
    Attention node = Attention.of(site, scheme, qkvScale, scoresScale, position, contextScale);
    return new Normed(NodeKernels.context(node, context), contextScale, node.contextOutliers());
  }

  /** All scores take part in the range, masked ones too. */
  private PositionBias position(Block site, byte[] scores, float scoresScale) {
    // Codes and scale of the table do not depend on the range.
    PositionBias unscaled = nodes.position(site, scoresScale, 1);
    int[] relative = site.windows().relativeIndex();
    float[] values = new float[scores.length];
    for (int i = 0; i < values.length; i++) {
      int head = i / relative.length % site.heads();
      int code = unscaled.table()[relative[i % relative.length] * site.heads() + head];
      values[i] = sum(scores[i], scoresScale, code, unscaled.tableScale());
    }
    return nodes.position(site, scoresScale, observe(site.node(NodeNames.BIASED), values, 1));
  }

  private Normed gelu(Block site, Projected fc1) {
    byte[] x = fc1.codes8();
    float inputScale = fc1.node.outputScale();
    OutlierChannels inputOutliers = scheme.outliers(fc1.node.name());
    float[] values = geluValues(x, site.hidden(), inputScale, inputOutliers);
    float scale = observe(site.node("mlp.act"), values, site.hidden());
    Gelu node = nodes.gelu(site, inputScale, scale);
    return new Normed(NodeKernels.gelu(node, x, site.hidden()), scale, node.outputOutliers());
  }

  private float[] geluValues(
      byte[] x, int channels, float inputScale, OutlierChannels inputOutliers) {
    float[] values = new float[x.length];
    if (scheme.gelu().isErf()) {
      float[] rest = exactGelu(inputScale);
      float[] outlier = exactGelu(inputOutliers.outlierScale(inputScale));
      float[][] tables = new float[channels][];
      Arrays.setAll(tables, c -> inputOutliers.contains(c) ? outlier : rest);
      for (int row = 0; row < x.length; row += channels) {
        for (int c = 0; c < channels; c++) {
          values[row + c] = tables[c][x[row + c] + 128];
        }
      }
      return values;
    }
    short[] sigmoid = ShiftGelu.sigmoidRowTable(inputScale);
    double productScale = ShiftGelu.productScale(inputScale);
    for (int row = 0; row < x.length; row += channels) {
      int rowMaximum = ShiftGelu.rowMax(x, row, channels);
      for (int i = row; i < row + channels; i++) {
        int maximum = scheme.gelu() == GeluForm.ROW ? rowMaximum : Math.max(x[i], 0);
        int product = x[i] * sigmoid[ShiftGelu.rowIndex(maximum, x[i])];
        values[i] = (float) (product * productScale);
      }
    }
    return values;
  }

  private static float[] exactGelu(float scale) {
    float[] values = new float[256];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) ShiftGelu.exactValue(scale, i - 128);
    }
    return values;
  }

  private Stream residual(String name, Stream branch, Stream identity, int channels) {
    float[] values = new float[branch.codes.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = sum(branch.codes[i], branch.scale, identity.codes[i], identity.scale);
    }
    float scale = observe(name, values, channels);
    Residual node = Residual.of(name, branch.scale, identity.scale, scale);
    return new Stream(NodeKernels.add(node, branch.codes, identity.codes), scale);
  }

  private float observe(String node, float[] values, int channels) {
    int bits = NodeNames.bits(node);
    Range range =
        observer.observe(new NodeValues(node, bits, values, channels, scheme.outliers(node)));
    ranges.put(node, range);
    return scheme.scale(node, range);
  }

  private static float sum(int z, float scale, int identity, float identityScale) {
    return (float) (z * (double) scale + identity * (double) identityScale);
  }

  private static float[] values(int[] acc, float scale) {
    float[] values = new float[acc.length];
    for (int i = 0; i < acc.length; i++) {
      values[i] = (float) (acc[i] * (double) scale);
    }
    return values;
  }
}
