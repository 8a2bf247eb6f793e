package org.ivit.export.onnx;

import static org.ivit.export.onnx.OnnxGraph.attribute;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import java.util.List;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Swin;
import org.ivit.core.architecture.Vit;
import org.ivit.core.architecture.Windows;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.graph.NodeNames;

/**
 * The float network of an architecture in ONNX operators, its products left to {@link Products}.
 * Tokens lie in rows, [batch·tokens, channels], so that linear layers are {@code Gemm} with their
 * bias inside.
 */
final class FloatGraph {
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
  private final float epsilon;

  FloatGraph(OnnxGraph graph, Architecture architecture, FloatWeights weights, Products products) {
    this.graph = graph;
    this.tokens = new Tokens(graph);
    this.weights = weights;
    this.products = products;
    this.epsilon = (float) architecture.epsilon();
  }

  /** Writes the whole network, from input to output. */
  void write(Architecture architecture) {
    int image = architecture.image();
    graph.input(PIXELS, DataType.FLOAT, 3, image, image);
    String logits = architecture instanceof Swin swin ? swin(swin) : vit((Vit) architecture);
    graph.node("Identity", LOGITS, List.of(logits));
    graph.output(LOGITS, DataType.FLOAT, architecture.classes());
  }

  private String vit(Vit vit) {
    int dim = vit.dim();
    String patches = products.patches(NodeNames.PATCH_PROJECTION, PIXELS);
    float[] position = weights.get("pos_embed");
    int leading = vit.leadingTokens();
    float[] ofPatches = java.util.Arrays.copyOfRange(position, leading * dim, position.length);
    String placed =
        graph.node(
            "Add",
            "pos_embed/add",
            List.of(
                tokens.reshape(patches, "patch_embed", -1, vit.patches(), dim),
                graph.floats("pos_embed", ofPatches, 1, vit.patches(), dim)));
    String own = graph.floats("leading", leading(vit, position), 1, leading, dim);
    String joined = tokens.prepend(own, leading, placed, NodeNames.EMBED, dim);
    String x = tokens.reshape(joined, NodeNames.EMBED, -1, dim);
    for (Block site : vit.blocks()) {
      x = block(site, x);
    }
    String pictures = tokens.reshape(x, NodeNames.NORM, -1, vit.tokens(), dim);
    String logits = null;
    for (int i = 0; i < leading; i++) {
      String head = vit.classifiers().get(i);
      String features = norm(NodeNames.NORM, tokens.token(pictures, i, head));
      String one = products.linear(head, NodeNames.NORM, features);
      logits = logits == null ? one : graph.node("Add", "heads", List.of(logits, one));
    }
    return leading == 1
        ? logits
        : graph.node("Mul", "heads/mean", List.of(logits, graph.scalar(1f / leading)));
  }

  /** Leading tokens at their positions. */
  private float[] leading(Vit vit, float[] position) {
    int dim = vit.dim();
    float[] values = new float[vit.leadingTokens() * dim];
    for (int i = 0; i < values.length; i++) {
      values[i] = weights.get(vit.leading().get(i / dim))[i % dim] + position[i];
    }
    return values;
  }

  private String swin(Swin swin) {
    String x = norm(NodeNames.PATCH_NORM, products.patches(NodeNames.PATCH_PROJECTION, PIXELS));
    for (Swin.Stage stage : swin.stages()) {
      for (Block site : stage.blocks()) {
        x = block(site, x);
      }
      if (stage.merges()) {
        String merged = tokens.neighbours(x, stage.mergeNorm(), stage.resolution(), stage.dim());
        x = products.linear(stage.reduction(), stage.mergeNorm(), norm(stage.mergeNorm(), merged));
      }
    }
    String pictures =
        tokens.reshape(
            norm(NodeNames.NORM, x), NodeNames.NORM, -1, swin.pooledTokens(), swin.features());
    String mean =
        graph.node(
            "ReduceMean",
            NodeNames.POOL,
            List.of(pictures),
            attribute("axes", new long[] {1}),
            attribute("keepdims", 0L));
    return products.linear(NodeNames.HEAD, NodeNames.POOL, mean);
  }

  private String block(Block site, String x) {
    String norm1 = tokens.partition(norm(site.node("norm1"), x), site, site.node("partition"));
    String qkv = products.linear(site.node("attn.qkv"), site.node("norm1"), norm1);
    String context = attention(site, qkv);
    String proj = products.linear(site.node("attn.proj"), site.node("attn.context"), context);
    String branch = tokens.reverse(proj, site, site.node("reverse"));
    String middle = graph.node("Add", site.node("residual1"), List.of(x, branch));
    String norm2 = norm(site.node("norm2"), middle);
    String fc1 = products.linear(site.node("mlp.fc1"), site.node("norm2"), norm2);
    String act = gelu(site.node("mlp.act"), fc1);
    String fc2 = products.linear(site.node("mlp.fc2"), site.node("mlp.act"), act);
    return graph.node("Add", site.node("residual2"), List.of(middle, fc2));
  }

  private String attention(Block site, String qkv) {
    List<String> heads = tokens.heads(qkv, site, site.node("attn"));
    String scores = products.scores(site, heads.get(0), heads.get(1));
    String scaled =
        graph.node(
            "Mul",
            site.node("attn.scale"),
            List.of(scores, graph.scalar((float) (1 / Math.sqrt(site.headDim())))));
    String biased = site.windows() == null ? scaled : biased(site, scaled);
    String probabilities =
        graph.node("Softmax", site.node("attn.softmax"), List.of(biased), attribute("axis", -1L));
    String context = products.context(site, probabilities, heads.get(2));
    return tokens.join(context, site, site.node("attn.context"));
  }

  /** Adds the relative position bias; where the windows shift, the mask with it. */
  private String biased(Block site, String scores) {
    Windows windows = site.windows();
    int n = site.rowTokens();
    String name = site.node(NodeNames.BIASED);
    if (windows.shift() == 0) {
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
    float[] table = weights.get(site.node(NodeNames.POSITION_TABLE));
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

  private String norm(String name, String rows) {
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
        attribute("epsilon", epsilon));
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
