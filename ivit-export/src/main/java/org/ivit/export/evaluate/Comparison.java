package org.ivit.export.evaluate;

import org.apache.commons.math3.stat.descriptive.rank.Median;
import org.ivit.core.InputException;
import org.ivit.export.model.Logits;

/**
 * Two models on the same pictures, picture by picture.
 *
 * @param agreement pictures that both answer alike, right or wrong
 * @param meanKl mean over the pictures of the Kullback–Leibler divergence of the model's softmax q
 *     from the reference's softmax p, Σ p·ln(p/q), in nats, float64
 * @param medianKl its median
 * @param largestKl its maximum
 * @param mcnemar the test of their right answers
 */
public record Comparison(
    Proportion agreement, double meanKl, double medianKl, double largestKl, McNemar mcnemar) {

  /**
   * Compares a model with a reference.
   *
   * @param labels the class of each picture
   * @throws InputException if the two models differ in their number of classes
   */
  public static Comparison of(Logits model, Logits reference, int[] labels) {
    if (model.classes() != reference.classes()) {
      throw new InputException(
          "the model to compare with has %s classes, expected %s as the model has"
              .formatted(reference.classes(), model.classes()));
    }
    Evaluation.requireLabels(model, labels);
    Evaluation.requireLabels(reference, labels);
    int agree = 0;
    int onlyModel = 0;
    int onlyReference = 0;
    double sum = 0;
    double largest = 0;
    double[] divergences = new double[labels.length];
    for (int i = 0; i < labels.length; i++) {
      int a = model.answer(i);
      int b = reference.answer(i);
      agree += a == b ? 1 : 0;
      onlyModel += a == labels[i] && b != labels[i] ? 1 : 0;
      onlyReference += a != labels[i] && b == labels[i] ? 1 : 0;
      divergences[i] = divergence(reference.logSoftmax(i), model.logSoftmax(i));
      sum += divergences[i];
      largest = Math.max(largest, divergences[i]);
    }
    return new Comparison(
        new Proportion(agree, labels.length),
        sum / labels.length,
        new Median().evaluate(divergences),
        largest,
        McNemar.of(onlyModel, onlyReference));
  }

  /**
   * The divergence of one picture, Σ exp(logP)·(logP − logQ) in nats; classes whose p is 0 in
   * float64 add 0.
   */
  public static double divergence(double[] logP, double[] logQ) {
    double sum = 0;
    for (int c = 0; c < logP.length; c++) {
      double p = Math.exp(logP[c]);
      if (p > 0) {
        sum += p * (logP[c] - logQ[c]);
      }
    }
    // Rounding can leave a divergence of equal distributions a hair below 0.
    return Math.max(0, sum);
  }
}
