package org.ivit.train.layer;

import org.ivit.train.operator.CrossEntropy;
import org.nd4j.shade.jackson.annotation.JsonCreator;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/**
 * Cross entropy with soft targets and distillation, {@link CrossEntropy}, as a loss of
 * Deeplearning4j. It takes logits: the activation must be the identity. Labels are [batch,
 * classes], or [batch, 2·classes] with the teacher's probabilities behind the targets.
 */
public final class SoftTargetLoss extends RowLoss {
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

  @Override
  CrossEntropy loss() {
    return new CrossEntropy(weight, temperature);
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
