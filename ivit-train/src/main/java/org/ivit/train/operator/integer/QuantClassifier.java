package org.ivit.train.operator.integer;

import java.util.Arrays;
import java.util.List;
import org.ivit.core.architecture.Head;
import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.graph.Linear;
import org.ivit.core.graph.build.NodeBuilder;
import org.ivit.core.scheme.NodeScales;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.Gemm;
import org.ivit.train.memory.RealType;
import org.ivit.train.memory.Reals;
import org.ivit.train.parameter.ParameterLayout;
import org.ivit.train.parameter.PartSpec;

/**
 * The classifiers of the quantized network: 8-bit codes of a picture to its logits, the sum of the
 * classifiers' on half the scale where there are two.
 */
final class QuantClassifier {
  private final Head part;
  private final int classes;
  private final List<QuantLinear> heads;
  private int[] logits = {};

  QuantClassifier(PartSpec spec, ParameterLayout layout, Head part) {
    this.part = part;
    this.classes = part.classes();
    this.heads =
        part.linears().stream()
            .map(layer -> new QuantLinear(spec.prefix(), layout, layer))
            .toList();
  }

  /** A layer a classifier. */
  List<QuantLinear> linears() {
    return heads;
  }

  /** Builds the nodes of this pass. */
  void prepare(NodeBuilder nodes, NodeScales scales, Scheme scheme, int batch, RealType type) {
    List<Linear> built =
        Linear.logits(
            part.classifiers(),
            heads.stream().map(layer -> layer.quantize(nodes, scales)).toList(),
            scheme.outliers(part.features()));
    for (int h = 0; h < built.size(); h++) {
      heads.get(h).prepare(built.get(h), type);
    }
    logits = Arrays.copyOf(logits, batch * classes);
  }

  /** The int32 logits of the last pass, [batch][classes]. */
  int[] logits() {
    return logits.clone();
  }

  /** The scale of the logits. */
  float scale() {
    return heads.get(0).node().outputScale() / heads.size();
  }

  /**
   * @param x for each classifier its codes as numbers, outliers shifted, [count][inputs]
   * @param y receives dequantized logits, [batch][classes]
   * @param first picture of the chunk
   */
  void forward(Gemm gemm, List<Reals> x, Reals y, int first, int count, Buffers scratch) {
    Arrays.fill(logits, first * classes, (first + count) * classes, 0);
    for (int h = 0; h < heads.size(); h++) {
      add(gemm, heads.get(h), x.get(h), first, count, scratch);
    }
    double scale = scale();
    double[] row = scratch.doubles("row", classes);
    for (int i = 0; i < count; i++) {
      int at = (first + i) * classes;
      for (int c = 0; c < classes; c++) {
        row[c] = logits[at + c] * scale;
      }
      y.put(at, row, 0, classes);
    }
  }

  private void add(Gemm gemm, QuantLinear head, Reals x, int first, int count, Buffers scratch) {
    int[] acc = head.accumulate(gemm, x, count, scratch);
    int[] m = head.node().requantization().multiplier();
    byte[] e = head.node().requantization().shift();
    int at = first * classes;
    for (int i = 0; i < count * classes; i++) {
      int c = i % classes;
      logits[at + i] = Math.toIntExact(logits[at + i] + Dyadic.requantize(acc[i], m[c], e[c]));
    }
  }

  /**
   * Straight through one classifier: writes {@code gx}, [count][inputs], and adds to {@code
   * gradients}.
   *
   * @param gLogits gradient of its logits, [count][classes]
   */
  void backward(
      Gemm gemm,
      int head,
      Reals x,
      Reals gLogits,
      Reals gx,
      Reals gradients,
      int count,
      Buffers scratch) {
    heads.get(head).backward(gemm, x, gLogits, 0, gx, gradients, count, scratch);
  }
}
