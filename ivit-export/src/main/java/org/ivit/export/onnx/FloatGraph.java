package org.ivit.export.onnx;

import static org.ivit.export.onnx.OnnxGraph.attribute;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.ivit.core.Size;
import org.ivit.core.architecture.Answer;
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
import org.ivit.core.architecture.Rotary;
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
  /** Name of the input: normalised pixels, float32, [batch, 3, height, width]. */
  static final String PIXELS = "pixels";

  /** Name of the output where it says classes: [batch, classes]. */
  static final String LOGITS = "logits";

  /** Name of the output where it is a feature: [batch, channels]. */
  static final String FEATURES = "features";

  /** Takes a score out of a softmax in float32, and in float16 too. */
  private static final float MASKED = -10_000f;

  private final OnnxGraph graph;
  private final Tokens tokens;
  private final FloatWeights weights;
  private final Products products;
  private final Activations activations;

  /** Tokens in rows, at last the answer. */
  private String x;

  /** Tokens of a picture in {@link #x}. */
  private int before;

  FloatGraph(OnnxGraph graph, FloatWeights weights, Products products) {
    this.graph = graph;
    this.tokens = new Tokens(graph);
    this.weights = weights;
    this.products = products;
    this.activations = new Activations(graph);
  }

  /** Writes the whole network, from input to output. */
  void write(Architecture architecture) {
    Size image = architecture.image();
    graph.input(PIXELS, DataType.FLOAT, 3, image.height(), image.width());
    for (Part part : architecture.parts()) {
      part.accept(this);
      before = part.outputTokens();
    }
    String answer = graph.node("Identity", answer(architecture), List.of(x));
    graph.output(answer, DataType.FLOAT, architecture.classes());
  }

  /** Name of the output of a network. */
  static String answer(Architecture architecture) {
    return architecture.answer() == Answer.FEATURES ? FEATURES : LOGITS;
  }

  @Override
  public Void stem(Stem stem) {
    String patches = products.patches(stem, PIXELS);
    x = stem.normed() ? norm(stem.output(), stem.epsilon(), patches) : embed(stem, patches);
    return null;
  }

  private String embed(Stem stem, String patches) {
    int dim = stem.dim();
    int leading = stem.leadingTokens();
    float[] position = stem.positionRows() == 0 ? new float[0] : weights.get(Stem.POSITION);
    int ofLeading = position.length - stem.patches() * dim;
    String placed = tokens.reshape(patches, "patch_embed", -1, stem.patches(), dim);
    if (position.length > 0) {
      float[] ofPatches = Arrays.copyOfRange(position, ofLeading, position.length);
      String added = graph.floats("pos_embed", ofPatches, 1, stem.patches(), dim);
      placed = graph.node("Add", "pos_embed/add", List.of(placed, added));
    }
    String name = stem.output().name();
    if (leading > 0) {
      float[] values = leading(stem);
      for (int i = 0; i < ofLeading; i++) {
        values[i] += position[i];
      }
      placed =
          tokens.prepend(
              graph.floats("leading", values, 1, leading, dim), leading, placed, name, dim);
    }
    return tokens.reshape(placed, name, -1, dim);
  }

  private float[] leading(Stem stem) {
    float[] values = new float[stem.leadingTokens() * stem.dim()];
    int at = 0;
    for (LeadingToken token : stem.leading()) {
      float[] own = weights.get(token.name());
      System.arraycopy(own, 0, values, at, own.length);
      at += own.length;
    }
    return values;
  }

  @Override
  public Void merging(Merging merging) {
    String name = merging.norm().name();
    String merged = tokens.neighbours(x, name, merging.resolution(), merging.dim());
    x = products.linear(merging.reduction(), norm(merging.norm(), merging.epsilon(), merged));
    return null;
  }

  @Override
  public Void norm(Norm norm) {
    String read = tokens.first(x, norm.name(), before, norm.tokens(), norm.dim());
    x = norm(norm.output(), norm.epsilon(), read);
    return null;
  }

  @Override
  public Void meanPooling(MeanPooling pooling) {
    x = mean(x, pooling.output(), pooling.tokens(), pooling.leading(), pooling.dim());
    return null;
  }

  /** The mean over the tokens behind the leading ones, [batch, channels]. */
  private String mean(String rows, Node node, int count, int leading, int dim) {
    return graph.mean(node.name(), tokens.slice(rows, node.name(), count, leading, count, dim), 1);
  }

  @Override
  public Void attentionPooling(AttentionPooling site) {
    String normed = norm(site.norm(), site.epsilon(), x);
    String scores = products.linear(site.scoresLinear(), normed);
    String values = products.linear(site.valuesLinear(), normed);
    String probabilities =
        graph.node(
            "Softmax",
            site.softmax(),
            List.of(tokens.queryScores(scores, site, site.scoresLinear().parameters())),
            attribute("axis", -1L));
    String name = site.context().name();
    String context =
        graph.node(
            "MatMul",
            name,
            List.of(
                probabilities, tokens.queryValues(values, site, site.valuesLinear().parameters())));
    String proj = products.linear(site.projLinear(), tokens.join(context, site.dim(), name));
    String fc1 = products.linear(site.fc1Linear(), norm(site.norm2(), site.epsilon(), proj));
    String fc2 = products.linear(site.fc2Linear(), activations.write(site.act(), fc1));
    x = graph.node("Add", site.residual().name(), List.of(proj, fc2));
    return null;
  }

  @Override
  public Void head(Head head) {
    if (!head.normed()) {
      x = tokens.first(x, head.output().name(), before, 1, head.dim());
    } else if (head.pooled()) {
      x = ofMean(head);
    } else {
      x = ofTokens(head);
    }
    return null;
  }

  private String ofMean(Head head) {
    String normed = norm(head.norm(), head.epsilon(), x);
    String mean = mean(normed, head.pool(), head.tokens(), head.leadingTokens(), head.dim());
    if (head.classifiers().isEmpty()) {
      return mean;
    }
    List<LinearSpec> classifiers = head.linears();
    if (!head.tokenAndMean()) {
      return products.linear(classifiers.get(0), mean);
    }
    String name = classifiers.get(0).parameters();
    String token = tokens.first(normed, name, head.tokens(), 1, head.dim());
    return meanOf(
        List.of(
            products.linear(classifiers.get(0), token), products.linear(classifiers.get(1), mean)));
  }

  private String ofTokens(Head head) {
    String pictures = tokens.reshape(x, head.norm().name(), -1, head.tokens(), head.dim());
    List<String> logits = new ArrayList<>();
    for (LinearSpec classifier : head.linears()) {
      String token = tokens.token(pictures, logits.size(), classifier.parameters());
      logits.add(products.linear(classifier, norm(head.norm(), head.epsilon(), token)));
    }
    return meanOf(logits);
  }

  /** The mean of what each classifier says. */
  private String meanOf(List<String> logits) {
    String sum = logits.get(0);
    for (String one : logits.subList(1, logits.size())) {
      sum = graph.node("Add", "heads", List.of(sum, one));
    }
    return logits.size() == 1
        ? sum
        : graph.node("Mul", "heads/mean", List.of(sum, graph.scalar(1f / logits.size())));
  }

  @Override
  public Void block(Block site) {
    double epsilon = site.epsilon();
    String norm1 = tokens.partition(norm(site.norm1(), epsilon, x), site, site.node("partition"));
    String qkv = products.linear(site.qkvLinear(), norm1);
    String context = attention(site, site.rotary() == null ? qkv : turned(site, qkv));
    String proj = products.linear(site.projLinear(), context);
    String branch = tokens.reverse(proj, site, site.node("reverse"));
    String middle = graph.node("Add", site.residual1().name(), List.of(x, branch));
    String fc2 =
        products.linear(site.fc2Linear(), hidden(site, norm(site.norm2(), epsilon, middle)));
    x = graph.node("Add", site.residual2().name(), List.of(middle, fc2));
    return null;
  }

  /** What the last product of the MLP reads. */
  private String hidden(Block site, String norm2) {
    String fc1 = products.linear(site.fc1Linear(), norm2);
    if (!site.gated()) {
      return activations.write(site.activations().get(0), fc1);
    }
    String value = products.linear(site.valueLinear(), norm2);
    String name = site.act().name();
    String act = graph.node("Mul", name, List.of(activations.silu(name, fc1), value));
    return site.gatedNorm() ? norm(site.mlpNorm(), site.epsilon(), act) : act;
  }

  /** Queries and keys turned by rotary positions, values as they are. */
  private String turned(Block site, String qkv) {
    String name = site.rope().name();
    int dim = site.dim();
    List<String> parts = tokens.split(qkv, name, 2L * dim, dim);
    String pairs = tokens.pairs(parts.get(0), site, name);
    String cosines = angles(site, "cos", Rotary.Table::cos);
    String cos = graph.node("Mul", name + "/cos", List.of(pairs, cosines));
    String sines = angles(site, "sin", Rotary.Table::sin);
    String partners = tokens.partners(pairs, site, name);
    String sin = graph.node("Mul", name + "/sin", List.of(partners, sines));
    String sum = graph.node("Add", name + "/add", List.of(cos, sin));
    return graph.node(
        "Concat",
        name,
        List.of(tokens.reshape(sum, name, -1, 2L * dim), parts.get(1)),
        attribute("axis", 1L));
  }

  /** A table of rotary positions, which blocks of the same positions share. */
  private String angles(Block site, String name, Function<Rotary.Table, double[]> which) {
    return graph.shared(
        List.of(site.rotary(), site.headDim(), name),
        () -> {
          double[] values = which.apply(site.rotary().table(site.headDim()));
          float[] table = new float[values.length];
          for (int i = 0; i < table.length; i++) {
            table[i] = (float) values[i];
          }
          return graph.floats("rope." + name, table, 1, site.tokens(), 1, site.headDim());
        });
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
    return tokens.join(context, site.dim(), site.context().name());
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
}
