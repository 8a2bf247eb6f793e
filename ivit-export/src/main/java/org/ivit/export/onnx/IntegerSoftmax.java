package org.ivit.export.onnx;

import static org.ivit.export.onnx.OnnxGraph.attribute;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.ivit.core.arithmetic.Bounds;
import org.ivit.core.arithmetic.SoftmaxTable;

/** Softmax by table and the values that it weighs, of an integer model. */
final class IntegerSoftmax {
  private final OnnxGraph graph;
  private final IntegerMath math;
  private final SoftmaxTable table;
  private final String name;

  /**
   * @param name of the softmax, such as {@code blocks.0.attn.softmax}
   */
  IntegerSoftmax(OnnxGraph graph, SoftmaxTable table, String name) {
    this.graph = graph;
    this.math = new IntegerMath(graph);
    this.table = table;
    this.name = name;
  }

  /**
   * @param scores int64 [..., keys]
   * @return their maximum over the keys, of which each is taken away
   */
  String most(String scores) {
    return graph.node(
        "ReduceMax", name + "/max", List.of(scores), attribute("axes", new long[] {-1}));
  }

  /**
   * Entries of the table.
   *
   * @param distance from the largest score, int64 [..., keys]
   * @return int64, of the same shape
   */
  String exponentials(String distance) {
    long[] entries = Arrays.stream(table.exponentials()).asLongStream().toArray();
    String constant = graph.longs(name + ".exponentials", entries, entries.length);
    return graph.node("Gather", name, List.of(constant, distance));
  }

  /**
   * Values weighted by the probabilities.
   *
   * @param exponentials int64 [..., queries, keys]
   * @param values bytes [..., keys, channels]
   * @param context name of the product
   * @return accumulators, the sums of the rows divided out, int64 [..., queries, channels]
   */
  String weigh(String exponentials, String values, String context) {
    String sum = graph.node("ReduceSum", name + "/sum", List.of(exponentials, graph.vector(-1)));
    String factor = math.divide(graph.scalar((long) Integer.MAX_VALUE), sum, name + "/factor");
    return table.deferred()
        ? deferred(exponentials, factor, values, context)
        : normalised(exponentials, factor, values, context);
  }

  /** Largest absolute value of what {@link #weigh} answers. */
  long bound(int keys) {
    return table.deferred() ? 128L << 15 : Bounds.context(keys, table.bits());
  }

  private String product(String probabilities, String values, String context) {
    return graph.node(
        "MatMulInteger",
        context + "/product",
        List.of(
            probabilities,
            values,
            graph.zeroPoint(DataType.UINT8, 0),
            graph.zeroPoint(DataType.UINT8, 128)));
  }

  /** P·V, its rows divided by their sums. */
  private String deferred(String exponentials, String factor, String values, String context) {
    String p = math.cast(exponentials, context + "/probabilities", DataType.UINT8);
    String acc = math.wide(product(p, values, context), context);
    String half = math.add(math.multiply(acc, factor, context), graph.scalar(1L << 15), context);
    return math.shift(half, 16, 1L << 40, context);
  }

  /** P·V of probabilities of at most 16 bits, by their bytes. */
  private String normalised(String exponentials, String factor, String values, String context) {
    String p = math.multiply(exponentials, factor, name);
    if (table.rounding() != 0) {
      p = math.add(p, graph.scalar((long) table.rounding()), name);
    }
    p = math.shift(p, 32 - table.bits(), 0, name);
    p = math.clip(p, 0, (1L << (table.bits() - 1)) - 1, name);
    List<String> sums = new ArrayList<>();
    if (table.bits() > 8) {
      String high = math.shift(p, 8, 0, name + "/high");
      String upper = math.cast(high, name + "/high", DataType.UINT8);
      String times = graph.ints(context + "/high/factor", new int[] {256});
      String part = context + "/high";
      sums.add(math.multiply(product(upper, values, part), times, part));
      p = math.subtract(p, math.multiply(high, graph.scalar(256L), name), name);
    }
    String low = math.cast(p, name + "/low", DataType.UINT8);
    sums.add(product(low, values, context + "/low"));
    String acc =
        sums.size() == 1 ? sums.get(0) : math.add(sums.get(0), sums.get(1), context + "/bytes");
    return math.wide(acc, context);
  }
}
