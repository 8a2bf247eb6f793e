package org.ivit.train.layer;

import org.ivit.train.operator.CosineDistance;

/**
 * Distillation of features, {@link CosineDistance}, as a loss of Deeplearning4j. Labels are the
 * teacher's features, [batch, width].
 */
public final class FeatureLoss extends RowLoss {
  private static final long serialVersionUID = 1L;

  @Override
  CosineDistance loss() {
    return new CosineDistance();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof FeatureLoss;
  }

  @Override
  public int hashCode() {
    return FeatureLoss.class.hashCode();
  }

  @Override
  public String toString() {
    return "FeatureLoss";
  }
}
