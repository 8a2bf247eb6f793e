package org.ivit.train.step;

/**
 * How a step moves the parameters: AdamW with decoupled decay.
 *
 * @param learningRate of this step
 * @param weightDecay multiplied by the learning rate, of matrices only
 * @param beta1 of the first moment
 * @param beta2 of the second moment
 * @param epsilon added to the root
 * @param step number of updates before this one
 * @param clipNorm largest global norm of the mean gradient, 0 for no clipping
 */
public record AdamSettings(
    double learningRate,
    double weightDecay,
    double beta1,
    double beta2,
    double epsilon,
    int step,
    double clipNorm) {

  /**
   * What the gradient is multiplied by, so that its norm is within {@code clipNorm}.
   *
   * @param norm global norm of the mean gradient
   */
  public double clip(double norm) {
    return clipNorm > 0 && norm > clipNorm ? clipNorm / norm : 1;
  }

  /** The learning rate with both corrections of the bias. */
  public double correctedRate() {
    return learningRate
        * (Math.sqrt(1 - Math.pow(beta2, step + 1.0)) / (1 - Math.pow(beta1, step + 1.0)));
  }
}
