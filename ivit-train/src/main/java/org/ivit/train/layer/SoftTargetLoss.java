package org.ivit.train.layer;

import org.ivit.train.operator.CrossEntropy;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.ILossFunction;
import org.nd4j.shade.jackson.annotation.JsonCreator;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/**
 * Cross entropy with soft targets and distillation, {@link CrossEntropy}, as a loss of
 * Deeplearning4j. It takes logits: the activation must be the identity. Labels are [batch,
 * classes], or [batch, 2·classes] with the teacher's probabilities behind the targets.
 */
public final class SoftTargetLoss implements ILossFunction {
  private static final long serialVersionUID = 1L;

  private final double weight;
  private final double temperature;

  /**
   * @param weight share of the distillation, 0 to 1
   * @param temperature of the distillation, above 0
   */
  @JsonCreator
  public SoftTargetLoss(
      @JsonProperty("weight") double weight, @JsonProperty("temperature") double temperature) {
    this.weight = weight;
    this.temperature = temperature;
  }

  /** Returns the share of the distillation. */
  public double getWeight() {
    return weight;
  }

  /** Returns the temperature of the distillation. */
  public double getTemperature() {
    return temperature;
  }

  private double[] losses(INDArray labels, INDArray logits, INDArray gradient) {
    CrossEntropy loss = new CrossEntropy(weight, temperature);
    double[][] targets = labels.toDoubleMatrix();
    double[][] scores = logits.toDoubleMatrix();
    double[] losses = new double[scores.length];
    for (int n = 0; n < losses.length; n++) {
      double[] row = gradient == null ? null : new double[scores[n].length];
      losses[n] = loss.row(scores[n], targets[n], row);
      if (gradient != null) {
        gradient.putRow(n, Nd4j.createFromArray(row).castTo(gradient.dataType()));
      }
    }
    return losses;
  }

  private static double total(double[] losses, boolean average) {
    double sum = 0;
    for (double loss : losses) {
      sum += loss;
    }
    return average ? sum / losses.length : sum;
  }

  @Override
  public double computeScore(
      INDArray labels, INDArray logits, IActivation activation, INDArray mask, boolean average) {
    return total(losses(labels, logits, null), average);
  }

  @Override
  public INDArray computeScoreArray(
      INDArray labels, INDArray logits, IActivation activation, INDArray mask) {
    return Nd4j.createFromArray(losses(labels, logits, null))
        .reshape(-1, 1)
        .castTo(logits.dataType());
  }

  @Override
  public INDArray computeGradient(
      INDArray labels, INDArray logits, IActivation activation, INDArray mask) {
    INDArray gradient = Nd4j.createUninitialized(logits.dataType(), logits.shape(), 'c');
    losses(labels, logits, gradient);
    return gradient;
  }

  @Override
  public Pair<Double, INDArray> computeGradientAndScore(
      INDArray labels, INDArray logits, IActivation activation, INDArray mask, boolean average) {
    INDArray gradient = Nd4j.createUninitialized(logits.dataType(), logits.shape(), 'c');
    return new Pair<>(total(losses(labels, logits, gradient), average), gradient);
  }

  @Override
  public String name() {
    return toString();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof SoftTargetLoss that
        && weight == that.weight
        && temperature == that.temperature;
  }

  @Override
  public int hashCode() {
    return 31 * Double.hashCode(weight) + Double.hashCode(temperature);
  }

  @Override
  public String toString() {
    return "SoftTargetLoss(weight=" + weight + ", temperature=" + temperature + ")";
  }
}
