package org.ivit.export.diagnose;

import org.ivit.core.architecture.Answer;
import org.ivit.export.evaluate.Comparison;
import org.ivit.export.evaluate.FeatureComparison;
import org.ivit.export.evaluate.Proportion;

/**
 * How far a model's answers are from a reference's.
 *
 * @param answer what both answer with
 * @param agreement pictures that both answer alike; null of features
 * @param mean over the pictures: KL divergence of the softmax from the reference's in nats, or of
 *     features 1 − cosine
 */
public record Divergence(Answer answer, Proportion agreement, double mean) {
  /**
   * Compares.
   *
   * @param labels the class of each picture
   * @throws org.ivit.core.InputException if the two differ in their width
   */
  static Divergence of(Outputs model, Outputs reference, int[] labels) {
    if (model.answer() == Answer.FEATURES) {
      double cosine = FeatureComparison.of(model.features(), reference.features()).meanCosine();
      return new Divergence(Answer.FEATURES, null, 1 - cosine);
    }
    Comparison comparison = Comparison.of(model.logits(), reference.logits(), labels);
    return new Divergence(Answer.CLASSES, comparison.agreement(), comparison.meanKl());
  }

  /** What {@link #mean} is, in words. */
  public String measure() {
    return answer == Answer.FEATURES ? "1 \u2212 cosine" : "KL divergence";
  }
}
