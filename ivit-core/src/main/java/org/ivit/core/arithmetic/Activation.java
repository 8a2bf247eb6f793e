package org.ivit.core.arithmetic;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;
import org.apache.commons.math3.special.Erf;

/** The activation function that the float model was trained with. */
public enum Activation {
  /** x·Φ(x), by the error function. */
  GELU {
    @Override
    public double value(double x) {
      return 0.5 * x * (1.0 + Erf.erf(x / Math.sqrt(2.0)));
    }

    @Override
    public double derivative(double x) {
      return 0.5 * (1 + Erf.erf(x / Math.sqrt(2)))
          + x * Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
    }
  },
  /** x·σ(1.702·x), of OpenAI's CLIP. */
  QUICK_GELU {
    private static final double SLOPE = 1.702;

    @Override
    public double value(double x) {
      return x * sigmoid(SLOPE * x);
    }

    @Override
    public double derivative(double x) {
      double sigmoid = sigmoid(SLOPE * x);
      return sigmoid + SLOPE * x * sigmoid * (1 - sigmoid);
    }
  },
  /** ½·x·(1 + tanh(√(2/π)·(x + 0.044715·x³))), of SigLIP. */
  GELU_TANH {
    private static final double CUBE = 0.044715;

    private double inner(double x) {
      return Math.sqrt(2 / Math.PI) * (x + CUBE * x * x * x);
    }

    @Override
    public double value(double x) {
      return 0.5 * x * (1 + StrictMath.tanh(inner(x)));
    }

    @Override
    public double derivative(double x) {
      double tanh = StrictMath.tanh(inner(x));
      double slope = Math.sqrt(2 / Math.PI) * (1 + 3 * CUBE * x * x);
      return 0.5 * (1 + tanh) + 0.5 * x * (1 - tanh * tanh) * slope;
    }
  };

  /** The function's value, float64; the same bits on every machine. */
  public abstract double value(double x);

  /** Its derivative, float64. */
  public abstract double derivative(double x);

  private static double sigmoid(double x) {
    return 1 / (1 + StrictMath.exp(-x));
  }

  /** The name in descriptions: that of the constant in lower case. */
  @JsonValue
  public String key() {
    return name().toLowerCase(Locale.ROOT);
  }
}
