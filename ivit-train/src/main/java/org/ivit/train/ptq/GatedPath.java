package org.ivit.train.ptq;

import org.ivit.core.arithmetic.Silu;

/**
 * The way of an error of a gate, or of what it gates, to the product that reads both: the other of
 * the two multiplies it, and a norm may follow.
 */
final class GatedPath implements OutputError.Path {
  private final float[] factors;
  private final float[] products;

  /** Null where there is no norm. */
  private final float[] gamma;

  private final double epsilon;

  private GatedPath(float[] factors, float[] products, float[] gamma, double epsilon) {
    this.factors = factors;
    this.products = products;
    this.gamma = gamma;
    this.epsilon = epsilon;
  }

  /**
   * @param ofGate whether the errors are those of silu of the gates, else of the values
   * @param gates before silu, [rows][channels]
   * @param values what they gate, [rows][channels]
   * @param gamma of the norm, [channels]; null where there is none
   * @param epsilon of the norm
   */
  static GatedPath of(
      boolean ofGate, float[] gates, float[] values, float[] gamma, double epsilon) {
    float[] silu = new float[gates.length];
    float[] products = new float[gates.length];
    for (int i = 0; i < silu.length; i++) {
      silu[i] = (float) Silu.value(gates[i]);
      products[i] = silu[i] * values[i];
    }
    return new GatedPath(ofGate ? values : silu, products, gamma, epsilon);
  }

  @Override
  public void pass(int row, float[] error) {
    for (int c = 0; c < error.length; c++) {
      error[c] *= factors[row + c];
    }
    if (gamma == null) {
      return;
    }
    double[] exact = new double[error.length];
    double[] moved = new double[error.length];
    for (int c = 0; c < error.length; c++) {
      exact[c] = products[row + c];
      moved[c] = exact[c] + error[c];
    }
    normalise(exact);
    normalise(moved);
    for (int c = 0; c < error.length; c++) {
      error[c] = (float) (gamma[c] * (moved[c] - exact[c]));
    }
  }

  private void normalise(double[] x) {
    double sum = 0;
    for (double value : x) {
      sum += value;
    }
    double mean = sum / x.length;
    double squares = 0;
    for (double value : x) {
      squares += (value - mean) * (value - mean);
    }
    double deviation = Math.sqrt(squares / x.length + epsilon);
    for (int c = 0; c < x.length; c++) {
      x[c] = (x[c] - mean) / deviation;
    }
  }
}
