package org.ivit.core.calibration;

import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;
import org.ivit.core.architecture.Vit;
import org.ivit.core.arithmetic.AttentionScales;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.ILayerNorm;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.QuantizedLinear;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.arithmetic.ShiftGelu;
import org.ivit.core.engine.MatrixProducts;
import org.ivit.core.engine.reference.NodeKernels;
import org.ivit.core.graph.Attention;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.graph.Gelu;
import org.ivit.core.graph.LayerNorm;
import org.ivit.core.graph.Linear;
import org.ivit.core.graph.NodeBuilder;
import org.ivit.core.graph.NodeNames;
import org.ivit.core.graph.Range;
import org.ivit.core.graph.Residual;
import org.ivit.core.graph.Scheme;

/**
 * The {@code observing} forward of §10: node by node, the values are computed from the integers,
 * observed, and only then requantized with the range that the observer answered.
 */
public final class ObservingForward {
  private final Vit architecture;
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
      Vit architecture,
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
    Projected patchEmbed =
        linear(
            NodeNames.PATCH_EMBED,
            nodes.quantize("patch_embed.proj", inputScale),
            patches,
            OutlierChannels.NONE);
    Stream x = embed(patchEmbed, pictures);
    for (int i = 0; i < architecture.depth(); i++) {
      x = block(NodeNames.block(i, ""), x, pictures);
    }
    short[] classTokens = NodeKernels.classTokens(x.codes, pictures, architecture.dim());
    Normed norm = norm(NodeNames.NORM, classTokens);
    Linear head = nodes.head(norm.scale);
    return NodeKernels.requantize32(
        head, accumulate(norm.codes, head.weight(), head.bias(), head.inputOutliers()));
  }

  /** A 16-bit tensor with its scale. */
  private record Stream(short[] codes, float scale) {}

  /** An 8-bit tensor with its scale and outlier channels. */
  private record Normed(byte[] codes, float scale, OutlierChannels outliers) {}

  /** A linear node with the accumulators that it was observed on. */
  private record Projected(Linear node, int[] acc) {
    byte[] codes8() {
      return NodeKernels.requantize8(node, acc);
    }

    Stream stream() {
      return new Stream(NodeKernels.requantize16(node, acc), node.outputScale());
    }
  }

  private Stream embed(Projected patchEmbed, int pictures) {
    short[] patches = patchEmbed.stream().codes;
    float patchScale = patchEmbed.node.outputScale();
    float[] position = weights.get("pos_embed");
    float positionScale = Quantizer.scaleOf("pos_embed", position, 16);
    short[] positionCodes = Quantizer.codes16("pos_embed", position, positionScale);
    int[] classToken = Quantizer.tokenCodes("cls_token", weights.get("cls_token"), patchScale);
    int channels = classToken.length;
    int length = positionCodes.length;
    float[] values = new float[pictures * length];
    for (int n = 0; n < pictures; n++) {
      for (int i = 0; i < length; i++) {
        int z = i < channels ? classToken[i] : patches[n * (length - channels) + i - channels];
        values[n * length + i] = sum(z, patchScale, positionCodes[i], positionScale);
      }
    }
    float scale = observe(NodeNames.EMBED, values, channels);
    return new Stream(NodeKernels.embed(nodes.embed(patchScale, scale), patches, pictures), scale);
  }

  private Stream block(String prefix, Stream x, int pictures) {
    Normed norm1 = norm(prefix + "norm1", x.codes);
    Projected qkv = linear(prefix + "attn.qkv", norm1);
    Normed context = attention(prefix + "attn", qkv, pictures);
    Stream residual1 =
        residual(prefix + "residual1", linear(prefix + "attn.proj", context).stream(), x);
    Normed norm2 = norm(prefix + "norm2", residual1.codes);
    Normed act = gelu(prefix, linear(prefix + "mlp.fc1", norm2));
    return residual(prefix + "residual2", linear(prefix + "mlp.fc2", act).stream(), residual1);
  }

  private Normed norm(String name, short[] x) {
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
    LayerNorm node = nodes.norm(name, observe(name, values, channels));
    return new Normed(NodeKernels.layerNorm(node, x), node.outputScale(), node.outputOutliers());
  }

  private Projected linear(String name, Normed input) {
    return linear(name, nodes.quantize(name, input.scale), input.codes, input.outliers);
  }

  private Projected linear(
      String name, QuantizedLinear quantized, byte[] codes, OutlierChannels inputOutliers) {
    int outputs = quantized.bias().length;
    int[] acc = accumulate(codes, quantized.weight(), quantized.bias(), inputOutliers);
    float[] values = new float[acc.length];
    for (int i = 0; i < acc.length; i++) {
      values[i] = (float) (acc[i] * (double) quantized.biasScale()[i % outputs]);
    }
    float scale = observe(name, values, outputs);
    return new Projected(nodes.linear(name, quantized, inputOutliers, scale), acc);
  }

  private int[] accumulate(byte[] x, byte[] weight, int[] bias, OutlierChannels inputOutliers) {
    int inputs = weight.length / bias.length;
    return products.linear(x, x.length / inputs, weight, bias, inputs, inputOutliers);
  }

  private Normed attention(String name, Projected qkvNode, int pictures) {
    byte[] qkv = qkvNode.codes8();
    float qkvScale = qkvNode.node.outputScale();
    int tokens = architecture.tokens();
    int heads = architecture.heads();
    int headDim = architecture.headDim();
    int[] product = products.scores(qkv, pictures, tokens, heads, headDim);
    float scoresScale =
        observe(name + ".scores", values(product, AttentionScales.scores(qkvScale, headDim)), 1);
    byte[] scores =
        NodeKernels.scores(
            Attention.scores(name + ".scores", qkvScale, headDim, scoresScale), product);
    // The context's range is not known yet; softmax does not depend on it.
    Attention unscaled = attention(name, qkvScale, scoresScale, 1);
    short[] probabilities = NodeKernels.softmax(unscaled.softmax(), scores, tokens);
    int[] context = products.context(probabilities, qkv, pictures, tokens, heads, headDim);
    float contextScale =
        observe(
            name + ".context",
            values(context, AttentionScales.context(qkvScale, scheme.attentionBits())),
            heads * headDim);
    Attention node = attention(name, qkvScale, scoresScale, contextScale);
    return new Normed(NodeKernels.context(node, context), contextScale, node.contextOutliers());
  }

  private Attention attention(String name, float qkvScale, float scoresScale, float contextScale) {
    return Attention.of(
        name,
        architecture.heads(),
        architecture.headDim(),
        architecture.tokens(),
        scheme.softmax(),
        scheme.attentionBits(),
        qkvScale,
        scoresScale,
        contextScale,
        scheme.outliers(name + ".context"));
  }

  private Normed gelu(String prefix, Projected fc1) {
    byte[] x = fc1.codes8();
    int channels = fc1.node.outputs();
    OutlierChannels inputOutliers = scheme.outliers(prefix + "mlp.fc1");
    OutlierChannels outputOutliers = scheme.outliers(prefix + "mlp.act");
    float inputScale = fc1.node.outputScale();
    float scale =
        observe(prefix + "mlp.act", geluValues(x, channels, inputScale, inputOutliers), channels);
    Gelu node =
        Gelu.of(
            prefix + "mlp.act", scheme.gelu(), inputScale, inputOutliers, scale, outputOutliers);
    return new Normed(NodeKernels.gelu(node, x, channels), scale, outputOutliers);
  }

  private float[] geluValues(
      byte[] x, int channels, float inputScale, OutlierChannels inputOutliers) {
    float[] values = new float[x.length];
    if (scheme.gelu() == GeluForm.EXACT) {
      float[] rest = exactGelu(inputScale);
      float[] outlier = exactGelu(inputOutliers.outlierScale(inputScale));
      for (int i = 0; i < x.length; i++) {
        values[i] = (inputOutliers.contains(i % channels) ? outlier : rest)[x[i] + 128];
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

  private Stream residual(String name, Stream branch, Stream identity) {
    float[] values = new float[branch.codes.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = sum(branch.codes[i], branch.scale, identity.codes[i], identity.scale);
    }
    float scale = observe(name, values, architecture.dim());
    Residual node = Residual.of(name, branch.scale, identity.scale, scale);
    return new Stream(NodeKernels.add(node, branch.codes, identity.codes), scale);
  }

  private float observe(String node, float[] values, int channels) {
    int bits = NodeNames.bits(node);
    Range range =
        observer.observe(new NodeValues(node, bits, values, channels, scheme.outliers(node)));
    ranges.put(node, range);
    return range.scale(bits);
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
