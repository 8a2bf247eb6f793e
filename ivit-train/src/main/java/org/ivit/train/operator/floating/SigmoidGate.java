package org.ivit.train.operator.floating;

import org.ivit.core.arithmetic.Activation;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.NativeRows;
import org.ivit.train.memory.Reals;

/**
 * Functions {@code y = x·σ(linear·x + cubic·x³)}: silu, and the approximations of GELU by a
 * sigmoid, QuickGELU and GELU by the hyperbolic tangent, since ½·(1 + tanh z) = σ(2z).
 *
 * @param linear factor of x
 * @param cubic factor of x³
 */
public record SigmoidGate(double linear, double cubic) {
  /** The gate of SwiGLU. */
  public static final SigmoidGate SILU = new SigmoidGate(1, 0);

  private static final int BLOCK = 1024;
  private static final SigmoidGate QUICK = new SigmoidGate(1.702, 0);
  private static final SigmoidGate TANH =
      new SigmoidGate(2 * Math.sqrt(2 / Math.PI), 2 * Math.sqrt(2 / Math.PI) * 0.044715);

  /**
   * The gate of an activation function.
   *
   * @return null for GELU by the error function
   */
  public static SigmoidGate of(Activation function) {
    return switch (function) {
      case GELU -> null;
      case QUICK_GELU -> QUICK;
      case GELU_TANH -> TANH;
    };
  }

  private double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x * (linear + cubic * x * x)));
  }

  /** Writes y. */
  public void forward(Reals x, Reals y, int size, Buffers buffers) {
    if (NativeRows.serves(x)) {
      long from = NativeRows.address(x, 0, size);
      NativeRows.sigmoidGate(from, NativeRows.address(y, 0, size), size, linear, cubic);
      return;
    }
    double[] row = buffers.doubles("row", BLOCK);
    for (int at = 0; at < size; at += BLOCK) {
      int n = Math.min(BLOCK, size - at);
      x.get(at, row, 0, n);
      for (int i = 0; i < n; i++) {
        row[i] *= sigmoid(row[i]);
      }
      y.put(at, row, 0, n);
    }
  }

  /** Multiplies g by the derivative, {@code s + x·s·(1 − s)·(linear + 3·cubic·x²)}, s = y/x. */
  public void backward(Reals x, Reals g, int size, Buffers buffers) {
    if (NativeRows.serves(x)) {
      long from = NativeRows.address(x, 0, size);
      NativeRows.sigmoidGateBackward(from, NativeRows.address(g, 0, size), size, linear, cubic);
      return;
    }
    double[] row = buffers.doubles("row", BLOCK);
    double[] values = buffers.doubles("row2", BLOCK);
    for (int at = 0; at < size; at += BLOCK) {
      int n = Math.min(BLOCK, size - at);
      x.get(at, values, 0, n);
      g.get(at, row, 0, n);
      for (int i = 0; i < n; i++) {
        double v = values[i];
        double s = sigmoid(v);
        row[i] *= s + v * s * (1 - s) * (linear + 3 * cubic * v * v);
      }
      g.put(at, row, 0, n);
    }
  }
}
