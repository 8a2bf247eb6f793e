package org.ivit.train.ptq;

/** Changes the scale of one channel of a linear layer, [outputs][inputs]. */
final class LinearScaling {
  private LinearScaling() {}

  /** Multiplies an output. */
  static void row(float[] weight, float[] bias, int row, float factor, int inputs) {
    for (int k = 0; k < inputs; k++) {
      weight[row * inputs + k] *= factor;
    }
    bias[row] *= factor;
  }

  /** Divides what is made of an input. */
  static void column(float[] weight, int column, float divisor, int inputs) {
    for (int i = column; i < weight.length; i += inputs) {
      weight[i] /= divisor;
    }
  }
}
