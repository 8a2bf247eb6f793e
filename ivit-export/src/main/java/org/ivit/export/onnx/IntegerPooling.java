package org.ivit.export.onnx;

import java.util.Arrays;
import org.ivit.core.architecture.AttentionPooling;
import org.ivit.core.graph.IntegerAttentionPooling;
import org.ivit.core.graph.QueryAttention;

/** Attention pooling of an integer model: codes of all tokens to codes of one. */
final class IntegerPooling {
  private final Tokens tokens;
  private final IntegerMath math;
  private final IntegerLayers layers;
  private final IntegerAttentionPooling pooling;
  private final AttentionPooling part;
  private final IntegerSoftmax softmax;

  IntegerPooling(OnnxGraph graph, IntegerAttentionPooling pooling) {
    this.tokens = new Tokens(graph);
    this.math = new IntegerMath(graph);
    this.layers = new IntegerLayers(graph);
    this.pooling = pooling;
    this.part = pooling.part();
    this.softmax = new IntegerSoftmax(graph, pooling.attention().softmax(), part.softmax());
  }

  /**
   * @param x 16-bit codes, int64 [batch·tokens, dim]
   * @return 16-bit codes, int64 [batch, dim]
   */
  String write(String x) {
    String normed = layers.norm8(pooling.norm(), x);
    String proj = layers.linear16(pooling.proj(), context(normed));
    String norm2 = layers.norm8(pooling.norm2(), proj);
    String fc1 = layers.linear(pooling.fc1(), pooling.fc1().name(), norm2);
    String act = layers.gelu(pooling.gelu(), fc1, part.hidden());
    return layers.residual(pooling.residual(), layers.linear16(pooling.fc2(), act), proj);
  }

  /** Bytes of the one query's context. */
  private String context(String normed) {
    QueryAttention attention = pooling.attention();
    String scores = layers.linear8(pooling.scores(), normed);
    String name = part.softmax();
    String rows = math.wide(tokens.queryScores(scores, part, pooling.scores().name()), name);
    String distance = math.subtract(softmax.most(rows), rows, name);
    String values =
        tokens.queryValues(layers.linear8(pooling.values(), normed), part, pooling.values().name());
    String context = part.context().name();
    String acc = softmax.weigh(softmax.exponentials(distance), values, context);
    long[] bounds = new long[part.dim()];
    Arrays.fill(bounds, softmax.bound(part.tokens()));
    String joined = tokens.join(acc, part.dim(), context);
    return math.toBytes(math.requantize(joined, attention.context(), bounds, context), context);
  }
}
