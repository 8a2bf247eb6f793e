package org.ivit.train.ptq;

import org.apache.commons.math3.random.RandomGenerator;
import org.ivit.core.architecture.Answer;

/**
 * Random directions g by which an answer is moved, such that the mean of (δ·g)² is what a small
 * change δ of the answer costs: for logits Σ p·δ² − (Σ p·δ)², twice the KL divergence that it
 * causes; for a feature the square of δ across the feature over that of the feature, twice 1 −
 * cosine.
 */
final class AnswerNoise {
  private AnswerNoise() {}

  /**
   * A direction.
   *
   * @param kind what the answer is
   * @param answer of one picture
   * @param random the source of normal numbers, of which as many are drawn as the answer has
   * @return as long as the answer; zeros for a feature of zeros
   */
  static double[] of(Answer kind, double[] answer, RandomGenerator random) {
    double[] noise = new double[answer.length];
    for (int i = 0; i < noise.length; i++) {
      noise[i] = random.nextGaussian();
    }
    return kind == Answer.CLASSES ? ofLogits(answer, noise) : ofFeature(answer, noise);
  }

  /** {@code √p ∘ ξ − p·Σ √p ∘ ξ}. */
  private static double[] ofLogits(double[] logits, double[] noise) {
    double[] p = AnswerDistance.softmax(logits);
    double sum = 0;
    for (int i = 0; i < p.length; i++) {
      noise[i] *= Math.sqrt(p[i]);
      sum += noise[i];
    }
    for (int i = 0; i < p.length; i++) {
      noise[i] -= p[i] * sum;
    }
    return noise;
  }

  /** {@code (ξ − f·(f·ξ)/(f·f)) / |f|}. */
  private static double[] ofFeature(double[] feature, double[] noise) {
    double square = 0;
    double along = 0;
    for (int i = 0; i < feature.length; i++) {
      square += feature[i] * feature[i];
      along += feature[i] * noise[i];
    }
    if (square == 0) {
      return new double[feature.length];
    }
    double length = Math.sqrt(square);
    for (int i = 0; i < feature.length; i++) {
      noise[i] = (noise[i] - feature[i] * along / square) / length;
    }
    return noise;
  }
}
