package org.ivit.train.layer;

import org.ivit.train.operator.Loss;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.ILossFunction;

/**
 * A {@link Loss} of each picture as a loss of Deeplearning4j; the activation must be the identity.
 */
abstract class RowLoss implements ILossFunction {
  private static final long serialVersionUID = 1L;

  /** What a picture costs. */
  abstract Loss loss();

  private double[] losses(INDArray labels, INDArray logits, INDArray gradient) {
    Loss loss = loss();
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
  public final String name() {
    return toString();
  }
}
