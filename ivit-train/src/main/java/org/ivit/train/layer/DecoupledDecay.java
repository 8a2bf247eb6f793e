package org.ivit.train.layer;

import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.regularization.Regularization;
import org.nd4j.linalg.learning.regularization.WeightDecay;

/**
 * Weight decay of AdamW: part of the update, multiplied by the learning rate, and no part of the
 * loss.
 */
final class DecoupledDecay extends WeightDecay {
  private static final long serialVersionUID = 1L;

  /**
   * @param coefficient multiplied by the learning rate
   */
  DecoupledDecay(double coefficient) {
    super(coefficient, true);
  }

  @Override
  public double score(INDArray parameters, int iteration, int epoch) {
    return 0;
  }

  @Override
  public Regularization clone() {
    return new DecoupledDecay(coeff.valueAt(0, 0));
  }
}
