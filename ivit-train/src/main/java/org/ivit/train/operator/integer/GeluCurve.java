package org.ivit.train.operator.integer;

import org.ivit.core.arithmetic.Activation;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.ShiftGelu;

/**
 * The values and slopes of an activation function at each 8-bit input code, in the forms that are
 * tables.
 */
public final class GeluCurve {
  /** The paper's GELU is x·sigmoid(1.702·x). */
  private static final double SLOPE = 1.702;

  private GeluCurve() {}

  /**
   * The values before they are quantized.
   *
   * @param form any but {@link GeluForm#ROW}
   * @param function of the forms that have one
   * @param scale of the input codes
   * @return by input code + 128
   */
  public static double[] values(GeluForm form, Activation function, float scale) {
    double[] table = new double[256];
    short[] sigmoid = form == GeluForm.ELEMENT ? ShiftGelu.elementSigmoid(scale) : null;
    for (int i = 0; i < 256; i++) {
      int x = i - 128;
      table[i] =
          sigmoid == null
              ? ShiftGelu.exactValue(function, scale, x)
              : x * sigmoid[i] * (double) ShiftGelu.productScale(scale);
    }
    return table;
  }

  /**
   * The slopes that gradients are multiplied by ({@code
   * docs/arithmetic.md#straight-through-gradients}).
   *
   * @param form any but {@link GeluForm#ROW}
   * @param function of the forms that have one
   * @param scale of the input codes
   * @return by input code + 128
   */
  public static double[] slopes(GeluForm form, Activation function, float scale) {
    double[] table = new double[256];
    short[] sigmoid = form == GeluForm.ELEMENT ? ShiftGelu.elementSigmoid(scale) : null;
    for (int i = 0; i < 256; i++) {
      double x = (i - 128) * (double) scale;
      table[i] = sigmoid == null ? function.derivative(x) : slope(x, sigmoid[i]);
    }
    return table;
  }

  /** {@code σ + 1.702·x·σ·(1−σ)} with the 7-bit sigmoid. */
  static double slope(double x, int sigmoid) {
    double p = sigmoid / 128.0;
    return p + SLOPE * x * p * (1 - p);
  }
}
