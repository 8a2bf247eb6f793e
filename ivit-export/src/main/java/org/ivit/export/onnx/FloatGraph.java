package org.ivit.export.onnx;

import static org.ivit.export.onnx.OnnxGraph.attribute;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import java.util.Arrays;
import java.util.List;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.AttentionPooling;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Head;
import org.ivit.core.architecture.LinearSpec;
import org.ivit.core.architecture.MeanPooling;
import org.ivit.core.architecture.Merging;
import org.ivit.core.architecture.Node;
import org.ivit.core.architecture.Norm;
import org.ivit.core.architecture.PartVisitor;
import org.ivit.core.architecture.Stem;
import org.ivit.core.architecture.Stem.LeadingToken;
import org.ivit.core.architecture.Windows;
import org.ivit.core.graph.FloatWeights;

/**
 * The float network of an architecture in ONNX operators, its products left to {@link Products}.
 * Tokens lie in rows, [batch·tokens, channels], so that linear layers are {@code Gemm} with their
 * bias inside.
 */
final class FloatGraph implements PartVisitor<Void> {
  /** Name of the input: normalised pixels, float32, [batch, 3, image, image]. */
  static final String PIXELS = "pixels";

  /** Name of the output: [batch, classes]. */
  static final String LOGITS = "logits";

  /** Takes a score out of a softmax in float32, and in float16 too. */
  private static final float MASKED = -10_000f;

  private final OnnxGraph graph;
  private final Tokens tokens;
  private final FloatWeights weights;
  private final Products products;

  /** Tokens in rows, or at last the logits. */
  private String x;

  FloatGraph(OnnxGraph graph, FloatWeights weights, Products products) {
    this.graph = graph;
    this.tokens = new Tokens(graph);
    this.weights = weights;
    this.products = products;
  }

  /** Writes the whole network, from input to output. */
  void write(Architecture architecture) {
    int image = architecture.image().side();
    graph.input(PIXELS, DataType.FLOAT, 3, image, image);
    architecture.parts().forEach(part -> part.accept(this));
    graph.node("Identity", LOGITS, List.of(x));
    graph.output(LOGITS, DataType.FLOAT, architecture.classes());
  }

  @Override
  public Void stem(Stem stem) {
    String patches = products.patches(stem, PIXELS);
    x = stem.normed() ? norm(stem.output(), stem.epsilon(), patches) : embed(stem, patches);
    return null;
  }

  private String embed(Stem stem, String patches) {
    int dim = stem.dim();
    float[] position = weights.get(Stem.POSITION);
    int leading = stem.leadingTokens();
    float[] ofPatches = Arrays.copyOfRange(position, leading * dim, position.length);
    String placed =
        graph.node(
            "Add",
            "pos_embed/add",
            List.of(
                tokens.reshape(patches, "patch_embed", -1, stem.patches(), dim),
                graph.floats("pos_embed", ofPatches, 1, stem.patches(), dim)));
    String name = stem.output().name();
    if (leading > 0) {
      String own = graph.floats("leading", leading(stem, position), 1, leading, dim);
      placed = tokens.prepend(own, leading, placed, name, dim);
    }
    return tokens.reshape(placed, name, -1, dim);
  }

  /** Leading tokens at their positions. */
  private float[] leading(Stem stem, float[] position) {
    float[] values = new float[stem.leadingTokens() * stem.dim()];
    int at = 0;
    for (LeadingToken token : stem.leading()) {
      for (float value : weights.get(token.name())) {
        values[at] = value + position[at];
        at++;
      }
    }
    return values;
  }

  @Override
  public Void merging(Merging merging) {
    String name = merging.norm().name();
    String merged = tokens.neighbours(x, name, merging.resolution().side(), merging.dim());
    x = products.linear(merging.reduction(), norm(merging.norm(), merging.epsilon(), merged));
    return null;
  }

  @Override
  public Void norm(Norm norm) {
    throw new UnsupportedOperationException("Norm");
  }

  @Override
  public Void meanPooling(MeanPooling pooling) {
    throw new UnsupportedOperationException("MeanPooling");
  }

  @Override
  public Void attentionPooling(AttentionPooling pooling) {
    throw new UnsupportedOperationException("AttentionPooling");
  }

  @Override
  public Void head(Head head) {
    x = head.pooled() ? ofMean(head) : ofTokens(head);
    return null;
  }

  private String ofMean(Head head) {
    String normed = norm(head.norm(), head.epsilon(), x);
    String pictures = tokens.reshape(normed, head.norm().name(), -1, head.tokens(), head.dim());
    String mean =
        graph.node(
            "ReduceMean",
            head.pool().name(),
            List.of(pictures),
            attribute("axes", new long[] {1}),
            attribute("keepdims", 0L));
    return products.linear(head.linears().get(0), mean);
  }

  private String ofTokens(Head head) {
    String pictures = tokens.reshape(x, head.norm().name(), -1, head.tokens(), head.dim());
    String logits = null;
    int count = head.classifiers().size();
    for (int i = 0; i < count; i++) {
      LinearSpec classifier = head.linears().get(i);
      String token = tokens.token(pictures, i, classifier.parameters());
      String one = products.linear(classifier, norm(head.norm(), head.epsilon(), token));
      logits = logits == null ? one : graph.node("Add", "heads", List.of(logits, one));
    }
    return count == 1
        ? logits
        : graph.node("Mul", "heads/mean", List.of(logits, graph.scalar(1f / count)));
  }

  @Override
  public Void block(Block site) {
    double epsilon = site.epsilon();
    String norm1 = tokens.partition(norm(site.norm1(), epsilon, x), site, site.node("partition"));
    String context = attention(site, products.linear(site.qkvLinear(), norm1));
    String proj = products.linear(site.projLinear(), context);
    String branch = tokens.reverse(proj, site, site.node("reverse"));
    String middle = graph.node("Add", site.residual1().name(), List.of(x, branch));
    String fc1 = products.linear(site.fc1Linear(), norm(site.norm2(), epsilon, middle));
    String fc2 = products.linear(site.fc2Linear(), gelu(site.act().name(), fc1));
    x = graph.node("Add", site.residual2().name(), List.of(middle, fc2));
    return null;
  }

  private String attention(Block site, String qkv) {
    List<String> heads = tokens.heads(qkv, site, site.node("attn"));
    String scores = graph.node("MatMul", site.scores().name(), List.of(heads.get(0), heads.get(1)));
    String scaled =
        graph.node(
            "Mul",
            site.node("attn.scale"),
            List.of(scores, graph.scalar((float) (1 / Math.sqrt(site.headDim())))));
    String biased = site.windows() == null ? scaled : biased(site, scaled);
    String probabilities =
        graph.node("Softmax", site.softmax(), List.of(biased), attribute("axis", -1L));
    String context =
        graph.node("MatMul", site.context().name(), List.of(probabilities, heads.get(2)));
    return tokens.join(context, site, site.context().name());
  }

  /** Adds the relative position bias; where the windows shift, the mask with it. */
  private String biased(Block site, String scores) {
    Windows windows = site.windows();
    int n = site.rowTokens();
    String name = site.biased().name();
    if (!windows.shifted()) {
      String bias = graph.floats(name + "/bias", bias(site, 1), 1, site.heads(), n, n);
      return graph.node("Add", name, List.of(scores, bias));
    }
    String bias =
        graph.floats(
            name + "/bias", bias(site, windows.count()), windows.count(), site.heads(), n, n);
    String grouped = tokens.reshape(scores, name, -1, windows.count(), site.heads(), n, n);
    String sum = graph.node("Add", name, List.of(grouped, bias));
    return tokens.reshape(sum, name, -1, site.heads(), n, n);
  }

  /**
   * @return [count][heads][query][key]
   */
  private float[] bias(Block site, int count) {
    float[] table = weights.get(site.positionTable());
    int[] index = site.windows().relativeIndex();
    int heads = site.heads();
    float[] bias = new float[count * heads * index.length];
    for (int w = 0; w < count; w++) {
      boolean[] mask = site.windows().mask(w);
      for (int head = 0; head < heads; head++) {
        int from = (w * heads + head) * index.length;
        for (int i = 0; i < index.length; i++) {
          boolean masked = mask != null && mask[i];
          bias[from + i] = masked ? MASKED : table[index[i] * heads + head];
        }
      }
    }
    return bias;
  }

  private String norm(Node node, double epsilon, String rows) {
    String name = node.name();
    float[] gamma = weights.get(name + ".weight");
    float[] beta = weights.get(name + ".bias");
    return graph.node(
        "LayerNormalization",
        name,
        List.of(
            rows,
            graph.floats(name + ".weight", gamma, gamma.length),
            graph.floats(name + ".bias", beta, beta.length)),
        attribute("axis", -1L),
        attribute("epsilon", (float) epsilon));
  }

  /** In the order of operators that runtimes recognise: x·(1 + erf(x/√2))·½. */
  private String gelu(String name, String x) {
    String scaled =
        graph.node("Div", name + "/div", List.of(x, graph.scalar((float) Math.sqrt(2))));
    String erf = graph.node("Erf", name + "/erf", List.of(scaled));
    String sum = graph.node("Add", name + "/add", List.of(erf, graph.scalar(1f)));
    String product = graph.node("Mul", name + "/mul", List.of(x, sum));
    return graph.node("Mul", name, List.of(product, graph.scalar(0.5f)));
  }
}
