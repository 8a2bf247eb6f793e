package org.ivit.export.onnx;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;
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
  private final IntegerSoftmax softmax;

  IntegerAttention(OnnxGraph graph, Block site, Attention attention) {
    this.graph = graph;
    this.tokens = new Tokens(graph);
    this.math = new IntegerMath(graph);
    this.site = site;
    this.attention = attention;
    this.softmax = new IntegerSoftmax(graph, attention.softmax(), site.softmax());
  }

  /**
   * @param qkv bytes [rows, 3·dim], in window order
   * @return bytes [rows, dim]
   */
  String write(String qkv) {
    List<String> heads = tokens.heads(qkv, site, site.node("attn"));
    String exponentials = exponentials(scores(heads.get(0), heads.get(1)));
    String name = site.context().name();
    String acc = softmax.weigh(exponentials, heads.get(2), name);
    String joined = tokens.join(acc, site.dim(), name);
    long[] bounds = new long[site.dim()];
    Arrays.fill(bounds, softmax.bound(site.rowTokens()));
    return math.toBytes(math.requantize(joined, attention.context(), bounds, name), name);
  }

  /** Scores plus 128, int64 [groups, heads, query, key], with the bias where there is one. */
  private String scores(String query, String key) {
    String name = site.scores().name();
    String zero = graph.zeroPoint(DataType.UINT8, 128);
    String product =
        graph.node("MatMulInteger", name + "/product", List.of(query, key, zero, zero));
    long bound = 128L * 128 * site.headDim();
    String scores =
        raised(math.requantize(math.wide(product, name), attention.scores(), bound, name), name);
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
    String name = site.softmax();
    Windows windows = site.windows();
    int n = site.rowTokens();
    if (windows == null || !windows.shifted()) {
      return softmax.exponentials(math.subtract(softmax.most(scores), scores, name));
    }
    String x = tokens.reshape(scores, name, -1, windows.count(), site.heads(), n, n);
    String mask = mask(windows, name);
    // The lowest score there is takes no part in a maximum.
    String seen = graph.node("Where", name + "/seen", List.of(mask, graph.scalar(0L), x));
    String distance = math.subtract(softmax.most(seen), x, name);
    String last = graph.scalar((long) SoftmaxTable.MASKED);
    String masked = graph.node("Where", name + "/masked", List.of(mask, last, distance));
    return softmax.exponentials(tokens.reshape(masked, name, -1, site.heads(), n, n));
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
}
