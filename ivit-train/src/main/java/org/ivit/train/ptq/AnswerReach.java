package org.ivit.train.ptq;

import org.ivit.train.memory.Gemm;
import org.ivit.train.memory.RealMatrix;
import org.ivit.train.memory.RealType;
import org.ivit.train.memory.Reals;

/**
 * How far noise at a linear layer's outputs reaches, where a change of its weights makes it. Such a
 * change acts on all rows of a picture at once. Over random changes the mean square of what it does
 * to the answer is that of the weights' gradient, the sum over rows of output gradient times input;
 * where rows are alike this is more than the sum of what each row would do alone.
 */
final class AnswerReach {
  /** Of each output the sum over all rows of the square of its gradient. */
  private final double[] squares;

  private final Gemm gemm;
  private double together;
  private double alone;

  /**
   * @param outputs of the layer
   * @param gemm products
   */
  AnswerReach(int outputs, Gemm gemm) {
    this.squares = new double[outputs];
    this.gemm = gemm;
  }

  /**
   * Adds a picture.
   *
   * @param x what went into the layer, about its mean, [rows][inputs]
   * @param gy gradients of the answer along a random direction, [rows][outputs]
   */
  void add(RealMatrix x, RealMatrix gy) {
    Reals product = Reals.allocate(RealType.FLOAT32, gy.columns() * x.columns());
    gemm.multiply(1, gy.transpose(), x, 0, new RealMatrix(product, 0, gy.columns(), x.columns()));
    together += square(product, 0, new float[product.size()]);
    float[] inputs = new float[x.columns()];
    float[] outputs = new float[squares.length];
    for (int r = 0; r < gy.rows(); r++) {
      double in = square(x.memory(), x.from() + r * inputs.length, inputs);
      alone += in * square(gy.memory(), gy.from() + r * outputs.length, outputs);
      for (int o = 0; o < outputs.length; o++) {
        squares[o] += (double) outputs[o] * outputs[o];
      }
    }
  }

  private static double square(Reals values, int from, float[] row) {
    values.get(from, row, 0, row.length);
    double sum = 0;
    for (float value : row) {
      sum += (double) value * value;
    }
    return sum;
  }

  /**
   * What noise costs: with the mean square of a row's noise at each output, this times it, summed,
   * is the KL divergence in nats, or of features 1 − cosine, that it causes ({@link AnswerNoise}).
   * Noise of different outputs is taken to be independent.
   *
   * @param pictures that were added
   * @return [outputs]
   */
  double[] costs(int pictures) {
    double factor = alone > 0 ? together / alone : 1;
    double[] costs = squares.clone();
    for (int o = 0; o < costs.length; o++) {
      costs[o] *= factor / (2 * pictures);
    }
    return costs;
  }
}
