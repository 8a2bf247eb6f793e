package org.ivit.export.onnx;

import static org.ivit.export.onnx.OnnxGraph.attribute;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Windows;
import org.ivit.core.arithmetic.SoftmaxTable;
import org.ivit.core.graph.Attention;
import org.ivit.core.graph.PositionBias;

/** Attention of an integer model: bytes of qkv to bytes of its context. */
final class IntegerAttention {
  private final OnnxGraph graph;
  private final Tokens tokens;
  private final IntegerMath math;
  private final Block site;
  private final Attention attention;

  IntegerAttention(OnnxGraph graph, Block site, Attention attention) {
    this.graph = graph;
    this.tokens = new Tokens(graph);
    this.math = new IntegerMath(graph);
    this.site = site;
    this.attention = attention;
  }

  /**
   * @param qkv bytes [rows, 3·dim], in window order
   * @return bytes [rows, dim]
   */
  String write(String qkv) {
    List<String> heads = tokens.heads(qkv, site, site.node("attn"));
    String exponentials = exponentials(scores(heads.get(0), heads.get(1)));
    String name = site.node("attn.context");
    String sum =
        graph.node(
            "ReduceSum", site.node("attn.softmax/sum"), List.of(exponentials, graph.vector(-1)));
    String factor =
        math.divide(graph.scalar((long) Integer.MAX_VALUE), sum, site.node("attn.softmax/factor"));
    String acc =
        attention.softmax().deferred()
            ? deferred(exponentials, factor, heads.get(2), name)
            : normalised(exponentials, factor, heads.get(2), name);
    String joined = tokens.join(acc, site, name);
    long[] bounds = new long[site.dim()];
    Arrays.fill(bounds, bound());
    return math.toBytes(math.requantize(joined, attention.context(), bounds, name), name);
  }

  private long bound() {
    SoftmaxTable softmax = attention.softmax();
    return softmax.deferred()
        ? 128L << 15
        : 128 * ((1L << (softmax.bits() - 1)) + site.rowTokens() / 2);
  }

  private String product(String x, int zeroX, String y, String name) {
    return graph.node(
        "MatMulInteger",
        name + "/product",
        List.of(
            x, y, graph.zeroPoint(DataType.UINT8, zeroX), graph.zeroPoint(DataType.UINT8, 128)));
  }

  /** Scores plus 128, int64 [groups, heads, query, key], with the bias where there is one. */
  private String scores(String query, String key) {
    String name = site.node("attn.scores");
    String acc = math.wide(product(query, 128, key, name), name);
    long bound = 128L * 128 * site.headDim();
    String scores = raised(math.requantize(acc, attention.scores(), bound, name), name);
    return attention.position() == null ? scores : biased(scores);
  }

  private String raised(String x, String name) {
    return math.clip(math.add(x, graph.scalar(128L), name), 0, 255, name);
  }

  private String biased(String scores) {
    PositionBias position = attention.position();
    String name = site.biased().name();
    long[] requantized = new long[256];
    for (int code = 0; code < requantized.length; code++) {
      requantized[code] = position.score().apply(code - 128);
    }
    String table = graph.longs(name + ".scores", requantized, requantized.length);
    String own = graph.node("Gather", name + "/score", List.of(table, scores));
    int[] index = site.windows().relativeIndex();
    int heads = site.heads();
    long[] bias = new long[heads * index.length];
    for (int head = 0; head < heads; head++) {
      for (int i = 0; i < index.length; i++) {
        byte code = position.table()[index[i] * heads + head];
        bias[head * index.length + i] = position.position().apply(code);
      }
    }
    int n = site.rowTokens();
    return raised(math.add(own, graph.longs(name + ".bias", bias, 1, heads, n, n), name), name);
  }

  /** Entries of the softmax table, int64. */
  private String exponentials(String scores) {
    String name = site.node("attn.softmax");
    Windows windows = site.windows();
    int n = site.rowTokens();
    boolean masked = windows != null && windows.shifted();
    String x =
        masked ? tokens.reshape(scores, name, -1, windows.count(), site.heads(), n, n) : scores;
    String mask = masked ? mask(windows, name) : null;
    // The lowest score there is takes no part in a maximum.
    String seen =
        masked ? graph.node("Where", name + "/seen", List.of(mask, graph.scalar(0L), x)) : x;
    String most =
        graph.node("ReduceMax", name + "/max", List.of(seen), attribute("axes", new long[] {-1}));
    String distance = math.subtract(most, x, name);
    if (masked) {
      String last = graph.scalar((long) SoftmaxTable.MASKED);
      distance = graph.node("Where", name + "/masked", List.of(mask, last, distance));
      distance = tokens.reshape(distance, name, -1, site.heads(), n, n);
    }
    long[] table = Arrays.stream(attention.softmax().exponentials()).asLongStream().toArray();
    return graph.node(
        "Gather",
        name,
        List.of(graph.longs(name + ".exponentials", table, table.length), distance));
  }

  private String mask(Windows windows, String name) {
    int n = windows.tokens();
    byte[] masks = new byte[windows.count() * n * n];
    for (int w = 0; w < windows.count(); w++) {
      boolean[] mask = windows.mask(w);
      for (int i = 0; mask != null && i < n * n; i++) {
        masks[w * n * n + i] = (byte) (mask[i] ? 1 : 0);
      }
    }
    return graph.bytes(name + ".mask", DataType.BOOL, masks, 1, windows.count(), 1, n, n);
  }

  /** P·V, its rows divided by their sums. */
  private String deferred(String exponentials, String factor, String values, String name) {
    String p = math.cast(exponentials, name + "/probabilities", DataType.UINT8);
    String acc = math.wide(product(p, 0, values, name), name);
    String half = math.add(math.multiply(acc, factor, name), graph.scalar(1L << 15), name);
    return math.shift(half, 16, 1L << 40, name);
  }

  /** P·V of probabilities of at most 16 bits, by their bytes. */
  private String normalised(String exponentials, String factor, String values, String name) {
    SoftmaxTable softmax = attention.softmax();
    String soft = site.node("attn.softmax");
    String p = math.multiply(exponentials, factor, soft);
    if (softmax.rounding() != 0) {
      p = math.add(p, graph.scalar((long) softmax.rounding()), soft);
    }
    p = math.shift(p, 32 - softmax.bits(), 0, soft);
    p = math.clip(p, 0, (1L << (softmax.bits() - 1)) - 1, soft);
    List<String> sums = new ArrayList<>();
    if (softmax.bits() > 8) {
      String high = math.shift(p, 8, 0, soft + "/high");
      String upper = math.cast(high, soft + "/high", DataType.UINT8);
      String times = graph.ints(name + "/high/factor", new int[] {256});
      sums.add(math.multiply(product(upper, 0, values, name + "/high"), times, name + "/high"));
      p = math.subtract(p, math.multiply(high, graph.scalar(256L), soft), soft);
    }
    sums.add(product(math.cast(p, soft + "/low", DataType.UINT8), 0, values, name + "/low"));
    String acc =
        sums.size() == 1 ? sums.get(0) : math.add(sums.get(0), sums.get(1), name + "/bytes");
    return math.wide(acc, name);
  }
}
