package org.ivit.core.calibration;

import java.util.Arrays;
import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;
import org.ivit.core.architecture.ActivationSpec;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.AttentionPooling;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Head;
import org.ivit.core.architecture.LinearSpec;
import org.ivit.core.architecture.MeanPooling;
import org.ivit.core.architecture.Merging;
import org.ivit.core.architecture.Node;
import org.ivit.core.architecture.Norm;
import org.ivit.core.architecture.Part;
import org.ivit.core.architecture.PartVisitor;
import org.ivit.core.architecture.Stem;
import org.ivit.core.architecture.Windows;
import org.ivit.core.arithmetic.Activation;
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
import org.ivit.core.graph.Gating;
import org.ivit.core.graph.Gelu;
import org.ivit.core.graph.LayerNorm;
import org.ivit.core.graph.Linear;
import org.ivit.core.graph.Pool;
import org.ivit.core.graph.PositionBias;
import org.ivit.core.graph.QueryAttention;
import org.ivit.core.graph.Residual;
import org.ivit.core.graph.Rotation;
import org.ivit.core.graph.build.NodeBuilder;
import org.ivit.core.scheme.NodeScales;
import org.ivit.core.scheme.Range;
import org.ivit.core.scheme.Scheme;

/**
 * The {@code observing} forward of {@code docs/arithmetic.md#observing-ranges}: node by node, the
 * values are computed from the integers, observed, and only then requantized with the range that
 * the observer answered.
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
   * @param pixels normalised pixels, float32, [pictures][3][height][width]
   * @param pictures number of pictures
   * @return logits of the batch, [pictures][classes]
   */
  public int[] run(float[] pixels, int pictures) {
    Pass pass = new Pass(pixels, pictures);
    for (Part part : architecture.parts()) {
      part.accept(pass);
    }
    return pass.logits;
  }

  /** One batch on its way through the parts. */
  private final class Pass implements PartVisitor<Void> {
    private final float[] pixels;
    private final int pictures;
    private Stream x;
    private int[] logits;

    Pass(float[] pixels, int pictures) {
      this.pixels = pixels;
      this.pictures = pictures;
    }

    @Override
    public Void stem(Stem stem) {
      float inputScale = observe(Node.INPUT, pixels, 1);
      byte[] input = Quantizer.codes8(Node.INPUT.name(), pixels, inputScale);
      byte[] patches = NodeKernels.unfold(input, pictures, stem.image(), stem.patch());
      Projected projected = linear(stem.projection(), patches, inputScale);
      x =
          stem.normed()
              ? patchNorm(stem, projected.codes8(), projected.node.outputScale())
              : embed(stem, projected, pictures);
      return null;
    }

    @Override
    public Void block(Block block) {
      x = ObservingForward.this.block(block, x);
      return null;
    }

    @Override
    public Void merging(Merging merging) {
      x = merge(merging, x);
      return null;
    }

    @Override
    public Void norm(Norm norm) {
      x = streamNorm(norm, leading(norm.tokens() * norm.dim()));
      return null;
    }

    @Override
    public Void meanPooling(MeanPooling pooling) {
      int dim = pooling.dim();
      int[] sums = NodeKernels.sums(x.codes, pooling.tokens(), pooling.leading(), dim);
      int tokens = pooling.pooledTokens();
      float scale = observe(pooling.output(), means(sums, x.scale, tokens), dim);
      x = new Stream(NodeKernels.pool16(Pool.of(x.scale, tokens, scale), sums), scale);
      return null;
    }

    @Override
    public Void attentionPooling(AttentionPooling pooling) {
      x = pool(pooling, x);
      return null;
    }

    @Override
    public Void head(Head head) {
      Stream read = leading(head.readTokens() * head.dim());
      logits = head.normed() ? answer(head, read) : NodeKernels.widen(read.codes);
      return null;
    }

    private Stream leading(int length) {
      return new Stream(NodeKernels.leading(x.codes, pictures, length), x.scale);
    }

    private int[] answer(Head head, Stream tokens) {
      Normed norm = ObservingForward.this.norm(head.norm(), head.epsilon(), tokens);
      if (!head.pooled()) {
        return logits(head, norm.codes, node -> norm.scale);
      }
      int dim = head.dim();
      int pooled = head.pooledTokens();
      short[] codes = NodeKernels.widen(norm.codes);
      int[] sums = NodeKernels.sums(codes, head.tokens(), head.leadingTokens(), dim);
      if (head.classifiers().isEmpty()) {
        return sums;
      }
      float scale = observe(head.pool(), means(sums, norm.scale, pooled), dim);
      byte[] mean = NodeKernels.pool8(Pool.of(norm.scale, pooled, scale), sums);
      byte[] read = head.tokenAndMean() ? NodeKernels.tokenAndMean(norm.codes, mean, dim) : mean;
      return logits(head, read, node -> node.equals(head.pool()) ? scale : norm.scale);
    }

    private int[] logits(Head head, byte[] codes, NodeScales scales) {
      return NodeKernels.logits(nodes.classifiers(head, scales), codes, products);
    }
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

  private Stream patchNorm(Stem stem, byte[] projected, float scale) {
    Stream codes = new Stream(NodeKernels.widen(projected), scale);
    LayerNorm node = observedNorm(stem.output(), stem.epsilon(), codes);
    return new Stream(NodeKernels.layerNorm16(node, projected), node.outputScale());
  }

  private Stream streamNorm(Norm norm, Stream x) {
    LayerNorm node = observedNorm(norm.output(), norm.epsilon(), x);
    return new Stream(NodeKernels.layerNorm16(node, x.codes), node.outputScale());
  }

  private Stream merge(Merging merging, Stream x) {
    short[] neighbours = NodeKernels.neighbours(x.codes, merging.resolution(), merging.dim());
    Normed normed = norm(merging.norm(), merging.epsilon(), new Stream(neighbours, x.scale));
    Projected reduction = linear(merging.reduction(), normed);
    return new Stream(NodeKernels.widen(reduction.codes8()), reduction.node.outputScale());
  }

  private static float[] means(int[] sums, float codeScale, int tokens) {
    double scale = Pooling.sumScale(codeScale, tokens);
    float[] values = new float[sums.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (sums[i] * scale);
    }
    return values;
  }

  private Stream pool(AttentionPooling site, Stream x) {
    Normed normed = norm(site.norm(), site.epsilon(), x);
    Projected scores = linear(site.scoresLinear(), normed);
    Projected values = linear(site.valuesLinear(), normed);
    float scoresScale = scores.node.outputScale();
    float valuesScale = values.node.outputScale();
    // The context's range is not known yet; softmax does not depend on it.
    QueryAttention unscaled = QueryAttention.of(site, scheme, scoresScale, valuesScale, 1);
    int tokens = site.tokens();
    short[] probabilities =
        NodeKernels.querySoftmax(unscaled.softmax(), scores.codes8(), tokens, site.heads());
    int[] acc = NodeKernels.queryContext(unscaled, probabilities, values.codes8(), tokens);
    float accScale = AttentionScales.context(valuesScale, unscaled.softmax().contextBits());
    float scale = observe(site.context(), values(acc, accScale), site.dim());
    QueryAttention node = QueryAttention.of(site, scheme, scoresScale, valuesScale, scale);
    Normed context =
        new Normed(NodeKernels.context(node.context(), acc), scale, node.contextOutliers());
    Stream proj = linear(site.projLinear(), context).stream();
    Normed norm2 = norm(site.norm2(), site.epsilon(), proj);
    Normed act = gelu(site.act(), linear(site.fc1Linear(), norm2));
    return residual(site.residual(), linear(site.fc2Linear(), act).stream(), proj, site.dim());
  }

  private Stream embed(Stem stem, Projected projected, int pictures) {
    short[] patches = projected.stream().codes;
    float patchScale = projected.node.outputScale();
    // Codes and their scales do not depend on the range.
    Embed unscaled = nodes.embed(stem, patchScale, 1);
    int[] leading = unscaled.leading();
    short[] position = unscaled.position();
    int length = position.length;
    float[] values = new float[pictures * length];
    for (int n = 0; n < pictures; n++) {
      for (int i = 0; i < length; i++) {
        int z =
            i < leading.length
                ? leading[i]
                : patches[n * (length - leading.length) + i - leading.length];
        values[n * length + i] = sum(z, patchScale, position[i], unscaled.positionScale());
      }
    }
    float scale = observe(stem.output(), values, stem.dim());
    Embed node = nodes.embed(stem, patchScale, scale);
    return new Stream(NodeKernels.embed(node, patches, pictures), scale);
  }

  private Stream block(Block site, Stream x) {
    int dim = site.dim();
    int[] order = site.windows() == null ? null : site.windows().order();
    Normed norm1 = norm(site.norm1(), site.epsilon(), x);
    Normed grouped = order == null ? norm1 : norm1.inOrder(order, dim);
    Normed context = attention(site, attended(site, linear(site.qkvLinear(), grouped)));
    Stream proj = linear(site.projLinear(), context).stream();
    Stream branch =
        order == null ? proj : new Stream(NodeKernels.reverse(proj.codes, order, dim), proj.scale);
    Stream residual1 = residual(site.residual1(), branch, x, dim);
    Normed norm2 = norm(site.norm2(), site.epsilon(), residual1);
    Normed act =
        site.gated()
            ? gated(site, norm2)
            : gelu(site.activations().get(0), linear(site.fc1Linear(), norm2));
    Stream fc2 = linear(site.fc2Linear(), act).stream();
    return residual(site.residual2(), fc2, residual1, dim);
  }

  /** Queries, keys and values as attention reads them. */
  private Normed attended(Block site, Projected qkv) {
    float qkvScale = qkv.node.outputScale();
    if (site.rotary() == null) {
      return new Normed(qkv.codes8(), qkvScale, OutlierChannels.NONE);
    }
    // The range is not known yet; what is turned does not depend on it.
    Rotation unscaled = Rotation.of(site, qkvScale, 1);
    int[] turned = NodeKernels.turn(unscaled, qkv.stream().codes, site.heads());
    float scale =
        observe(site.rope(), values(turned, Rotation.turnedScale(qkvScale)), 3 * site.dim());
    Rotation node = Rotation.of(site, qkvScale, scale);
    return new Normed(NodeKernels.rotated(node, turned), scale, OutlierChannels.NONE);
  }

  /** What feeds the last product of a gated MLP. */
  private Normed gated(Block site, Normed x) {
    Projected gate = linear(site.fc1Linear(), x);
    Projected value = linear(site.valueLinear(), x);
    float gateScale = gate.node.outputScale();
    float valueScale = value.node.outputScale();
    byte[] gates = gate.codes8();
    byte[] values = value.codes8();
    OutlierChannels outliers = scheme.outliers(site.act());
    Gating unscaled = Gating.of(site, gateScale, valueScale, 1, OutlierChannels.NONE);
    int[] gated = new int[gates.length];
    Arrays.setAll(gated, i -> unscaled.product(gates[i], values[i]));
    float productScale = Gating.productScale(gateScale, valueScale);
    float scale = observe(site.act(), values(gated, productScale), site.hidden());
    Gating node = Gating.of(site, gateScale, valueScale, scale, outliers);
    short[] codes = NodeKernels.gate(node, gates, values);
    return site.gatedNorm()
        ? norm(site.mlpNorm(), site.epsilon(), new Stream(codes, scale))
        : new Normed(NodeKernels.narrow(codes), scale, outliers);
  }

  private Normed norm(Node norm, double epsilon, Stream x) {
    LayerNorm node = observedNorm(norm, epsilon, x);
    return new Normed(
        NodeKernels.layerNorm(node, x.codes), node.outputScale(), node.outputOutliers());
  }

  private LayerNorm observedNorm(Node norm, double epsilon, Stream stream) {
    short[] x = stream.codes;
    float[] gamma = weights.get(norm.name() + ".weight");
    float[] beta = weights.get(norm.name() + ".bias");
    int channels = gamma.length;
    float[] values = new float[x.length];
    double[] factor = new double[channels];
    for (int c = 0; c < channels; c++) {
      factor[c] = ILayerNorm.valueFactor(gamma[c], channels);
    }
    int[] normalised = new int[channels];
    long added = nodes.epsilon(norm, epsilon, channels, stream.scale);
    for (int row = 0; row < x.length; row += channels) {
      ILayerNorm.normalise(x, row, channels, added, normalised);
      for (int c = 0; c < channels; c++) {
        values[row + c] = (float) (normalised[c] * factor[c] + beta[c]);
      }
    }
    return nodes.norm(norm, epsilon, stream.scale, observe(norm, values, channels));
  }

  private Projected linear(LinearSpec layer, Normed input) {
    return linear(layer, input.codes, input.scale);
  }

  private Projected linear(LinearSpec layer, byte[] codes, float inputScale) {
    QuantizedLinear quantized = nodes.quantize(layer, inputScale);
    int outputs = layer.outputs();
    int[] acc =
        accumulate(codes, quantized.weight(), quantized.bias(), scheme.outliers(layer.input()));
    float[] values = new float[acc.length];
    for (int row = 0; row < acc.length; row += outputs) {
      for (int c = 0; c < outputs; c++) {
        values[row + c] = (float) (acc[row + c] * (double) quantized.biasScale()[c]);
      }
    }
    float scale = observe(layer.node(), values, outputs);
    return new Projected(nodes.linear(layer, quantized, scale), acc);
  }

  private int[] accumulate(byte[] x, byte[] weight, int[] bias, OutlierChannels inputOutliers) {
    int inputs = weight.length / bias.length;
    return products.linear(x, x.length / inputs, weight, bias, inputs, inputOutliers);
  }

  private Normed attention(Block site, Normed attended) {
    byte[] qkv = attended.codes;
    float qkvScale = attended.scale;
    int tokens = site.rowTokens();
    int groups = qkv.length / (3 * site.dim() * tokens);
    int heads = site.heads();
    int headDim = site.headDim();
    Node scoresNode = site.scores();
    int[] product = products.scores(qkv, groups, tokens, heads, headDim);
    float scoresScale =
        observe(scoresNode, values(product, AttentionScales.scores(qkvScale, headDim)), 1);
    byte[] scores =
        NodeKernels.scores(
            Attention.scores(scoresNode.name(), qkvScale, headDim, scoresScale), product);
    Windows windows = site.windows();
    PositionBias position = windows == null ? null : position(site, scores, scoresScale);
    // The context's range is not known yet; softmax does not depend on it.
    Attention unscaled = Attention.of(site, scheme, qkvScale, scoresScale, position, 1);
    byte[] biased =
        windows == null ? scores : NodeKernels.biased(position, scores, windows.relativeIndex());
    short[] probabilities = NodeKernels.softmax(unscaled.softmax(), biased, site);
    int[] context =
        NodeKernels.normalise(
            unscaled,
            products.context(probabilities, qkv, groups, tokens, heads, headDim),
            probabilities,
            tokens);
    float contextScale =
        observe(
            site.context(),
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
    return nodes.position(site, scoresScale, observe(site.biased(), values, 1));
  }

  private Normed gelu(ActivationSpec site, Projected fc1) {
    byte[] x = fc1.codes8();
    float inputScale = fc1.node.outputScale();
    float[] values = geluValues(x, site, inputScale, scheme.outliers(site.input()));
    float scale = observe(site.node(), values, site.channels());
    Gelu node = nodes.gelu(site, inputScale, scale);
    return new Normed(NodeKernels.gelu(node, x, site.channels()), scale, node.outputOutliers());
  }

  private float[] geluValues(
      byte[] x, ActivationSpec site, float inputScale, OutlierChannels inputOutliers) {
    int channels = site.channels();
    float[] values = new float[x.length];
    if (scheme.gelu().isErf()) {
      float[] rest = exactValues(site.function(), inputScale);
      float[] outlier = exactValues(site.function(), inputOutliers.outlierScale(inputScale));
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

  private static float[] exactValues(Activation function, float scale) {
    float[] values = new float[256];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) ShiftGelu.exactValue(function, scale, i - 128);
    }
    return values;
  }

  private Stream residual(Node node, Stream branch, Stream identity, int channels) {
    float[] values = new float[branch.codes.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = sum(branch.codes[i], branch.scale, identity.codes[i], identity.scale);
    }
    float scale = observe(node, values, channels);
    Residual sum = Residual.of(node.name(), branch.scale, identity.scale, scale);
    return new Stream(NodeKernels.add(sum, branch.codes, identity.codes), scale);
  }

  private float observe(Node node, float[] values, int channels) {
    Range range = observer.observe(new NodeValues(node, values, channels, scheme.outliers(node)));
    ranges.put(node.name(), range);
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
