package org.ivit.train.operator;

import org.ivit.core.architecture.Answer;
import org.ivit.core.architecture.Architecture;

/**
 * What training makes small: a number a picture, of what the network answers and what it should.
 */
public sealed interface Loss permits CrossEntropy, CosineDistance {
  /**
   * Loss and gradient of one picture.
   *
   * @param answer of the network: scores of classes, or a feature
   * @param targets what it should be
   * @param gradient receives the gradient by the answer; null where it is not wanted
   * @return the loss
   */
  double row(double[] answer, double[] targets, double[] gradient);

  /**
   * The loss of a network.
   *
   * @param weight share of the distillation, of a network that answers with classes
   * @param temperature of the distillation, of a network that answers with classes
   */
  static Loss of(Architecture architecture, double weight, double temperature) {
    return architecture.answer() == Answer.FEATURES
        ? new CosineDistance()
        : new CrossEntropy(weight, temperature);
  }
}
