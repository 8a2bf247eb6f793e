package org.ivit.train.operator;

import java.util.Arrays;
import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.graph.Linear;
import org.ivit.core.graph.NodeBuilder;
import org.ivit.core.graph.NodeNames;

/** The classifier of the quantized network: 8-bit codes of a picture to its logits. */
final class QuantClassifier {
  private final int classes;
  private final QuantLinear head;
  private int[] logits = {};

  QuantClassifier(ParameterLayout layout, int inputs, int classes) {
    this.classes = classes;
    this.head = new QuantLinear(layout, "", NodeNames.HEAD, inputs, classes);
  }

  /** Builds the node of this pass. */
  void prepare(
      NodeBuilder nodes, float inputScale, OutlierChannels outliers, int batch, RealType type) {
    head.prepare(Linear.logits(NodeNames.HEAD, head.quantize(nodes, inputScale), outliers), type);
    logits = Arrays.copyOf(logits, batch * classes);
  }

  /** The int32 logits of the last pass, [batch][classes]. */
  int[] logits() {
    return logits.clone();
  }

  /** The scale of the logits. */
  float scale() {
    return head.node().outputScale();
  }

  /**
   * @param x codes as numbers, outliers shifted, [count][inputs]
   * @param y receives dequantized logits, [batch][classes]
   * @param first picture of the chunk
   */
  void forward(Gemm gemm, Reals x, Reals y, int first, int count, Buffers scratch) {
    int[] acc = head.accumulate(gemm, x, count, scratch);
    int[] m = head.node().requantization().multiplier();
    byte[] e = head.node().requantization().shift();
    double scale = scale();
    double[] row = scratch.doubles("row", classes);
    for (int i = 0; i < count; i++) {
      int at = (first + i) * classes;
      for (int c = 0; c < classes; c++) {
        int logit = Math.toIntExact(Dyadic.requantize(acc[i * classes + c], m[c], e[c]));
        logits[at + c] = logit;
        row[c] = logit * scale;
      }
      y.put(at, row, 0, classes);
    }
  }

  /** Straight through: writes {@code gx}, [count][inputs], and adds to {@code gradients}. */
  void backward(
      Gemm gemm,
      Reals x,
      Reals gy,
      int first,
      Reals gx,
      Reals gradients,
      int count,
      Buffers scratch) {
    head.backward(gemm, x, gy, first * classes, gx, gradients, count, scratch);
  }
}
