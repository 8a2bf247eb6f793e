package org.ivit.train.ptq;

import java.util.List;
import org.ivit.core.architecture.Answer;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.engine.Engine;
import org.ivit.core.engine.choice.Engines;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.train.operator.CosineDistance;
import org.ivit.train.operator.CrossEntropy;

/**
 * How far an integer model's answers are from the float model's on some pictures: the mean KL
 * divergence in nats, of features the mean of 1 − cosine.
 */
final class AnswerDistance {
  private final Answer kind;
  private final List<float[]> batches;
  private final double[][] expected;

  /**
   * @param kind what the answer is
   * @param batches normalised pixels, [pictures][3][height][width] each
   * @param expected the float model's answer to each picture
   */
  AnswerDistance(Answer kind, List<float[]> batches, double[][] expected) {
    this.kind = kind;
    this.batches = batches;
    this.expected = expected;
  }

  /**
   * Asks a model.
   *
   * @param graph the model
   * @param done hears of each batch
   */
  double of(IntegerGraph graph, Runnable done) {
    int size = graph.architecture().pixels();
    int picture = 0;
    double sum = 0;
    try (Engine engine = Engines.open(graph)) {
      for (float[] batch : batches) {
        int count = batch.length / size;
        byte[] codes = Quantizer.codes8("pictures", batch, graph.inputScale());
        int[] answers = engine.logits(codes, count);
        int width = answers.length / count;
        for (int n = 0; n < count; n++) {
          double[] answer = new double[width];
          for (int c = 0; c < width; c++) {
            answer[c] = answers[n * width + c] * (double) graph.logitScale();
          }
          sum += between(kind, expected[picture++], answer);
        }
        done.run();
      }
    }
    return sum / picture;
  }

  /** The distance of one answer. */
  static double between(Answer kind, double[] expected, double[] answer) {
    if (kind == Answer.FEATURES) {
      return new CosineDistance().row(answer, expected, null);
    }
    double[] targets = new double[2 * expected.length];
    System.arraycopy(softmax(expected), 0, targets, expected.length, expected.length);
    return new CrossEntropy(1, 1).row(answer, targets, null);
  }

  /** The probabilities of logits. */
  static double[] softmax(double[] logits) {
    double max = Double.NEGATIVE_INFINITY;
    for (double logit : logits) {
      max = Math.max(max, logit);
    }
    double[] p = new double[logits.length];
    double total = 0;
    for (int i = 0; i < p.length; i++) {
      p[i] = Math.exp(logits[i] - max);
      total += p[i];
    }
    for (int i = 0; i < p.length; i++) {
      p[i] /= total;
    }
    return p;
  }
}
