package org.ivit.train.operator.floating;

import java.util.Arrays;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.NativeRows;
import org.ivit.train.memory.Reals;
import org.ivit.train.parameter.ParameterLayout;

/**
 * A layer norm of the float network on rows of a chunk, {@code y = (x − mean)/√(variance + ε)·γ +
 * β}.
 */
public final class FloatNorm {
  private final int channels;
  private final double epsilon;
  private final int weightFrom;
  private final int biasFrom;

  /**
   * @param layout parameters of the operator
   * @param name parameter prefix, such as {@code norm1}
   * @param epsilon ε
   */
  public FloatNorm(ParameterLayout layout, String name, int channels, double epsilon) {
    this.channels = channels;
    this.epsilon = epsilon;
    this.weightFrom = layout.from(name + ".weight");
    this.biasFrom = layout.from(name + ".bias");
  }

  /** Rows lie {@code xStride} apart in x and close together in y. */
  public void forward(
      Reals weights, Reals x, int xFrom, int xStride, Reals y, int rows, Buffers buffers) {
    double[] gamma = buffers.doubles("norm.gamma", channels);
    double[] beta = buffers.doubles("norm.beta", channels);
    weights.get(weightFrom, gamma, 0, channels);
    weights.get(biasFrom, beta, 0, channels);
    if (NativeRows.serves(x, channels)) {
      long from = NativeRows.address(x, xFrom, rows, xStride, channels);
      long to = NativeRows.address(y, 0, rows * channels);
      NativeRows.norm(from, xStride, gamma, beta, epsilon, to, rows, channels);
      return;
    }
    double[] row = buffers.doubles("norm.x", channels);
    for (int r = 0; r < rows; r++) {
      x.get(xFrom + r * xStride, row, 0, channels);
      double mean = mean(row, channels);
      double factor = inverseDeviation(row, channels, mean, epsilon);
      for (int c = 0; c < channels; c++) {
        row[c] = (row[c] - mean) * factor * gamma[c] + beta[c];
      }
      y.put(r * channels, row, 0, channels);
    }
  }

  private static double mean(double[] row, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
      sum += row[i];
    }
    return sum / n;
  }

  private static double inverseDeviation(double[] row, int n, double mean, double epsilon) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
      double d = row[i] - mean;
      sum += d * d;
    }
    return 1 / Math.sqrt(sum / n + epsilon);
  }

  /** Adds to {@code gradients} and to {@code gx}, whose rows lie as far apart as those of x. */
  public void backward(
      Reals weights,
      Reals x,
      int xFrom,
      int xStride,
      Reals gy,
      Reals gx,
      int gxFrom,
      Reals gradients,
      int rows,
      Buffers buffers) {
    double[] gamma = buffers.doubles("norm.gamma", channels);
    double[] gammaGradient = buffers.doubles("norm.gg", channels);
    double[] betaGradient = buffers.doubles("norm.gb", channels);
    double[] row = buffers.doubles("norm.x", channels);
    Arrays.fill(gammaGradient, 0);
    Arrays.fill(betaGradient, 0);
    weights.get(weightFrom, gamma, 0, channels);
    if (NativeRows.serves(x, channels)) {
      NativeRows.normBackward(
          NativeRows.address(x, xFrom, rows, xStride, channels),
          xStride,
          gamma,
          epsilon,
          NativeRows.address(gy, 0, rows * channels),
          NativeRows.address(gx, gxFrom, rows, xStride, channels),
          rows,
          channels,
          gammaGradient,
          betaGradient);
    } else {
      double[] g = buffers.doubles("norm.g", channels);
      double[] sum = buffers.doubles("norm.sum", channels);
      for (int r = 0; r < rows; r++) {
        x.get(xFrom + r * xStride, row, 0, channels);
        gy.get(r * channels, g, 0, channels);
        double mean = mean(row, channels);
        double factor = inverseDeviation(row, channels, mean, epsilon);
        for (int c = 0; c < channels; c++) {
          row[c] = (row[c] - mean) * factor;
        }
        gx.get(gxFrom + r * xStride, sum, 0, channels);
        FloatKernels.normRowBackward(
            row, factor, gamma, g, sum, gammaGradient, betaGradient, channels);
        gx.put(gxFrom + r * xStride, sum, 0, channels);
      }
    }
    FloatKernels.add(gammaGradient, channels, gradients, weightFrom, row);
    FloatKernels.add(betaGradient, channels, gradients, biasFrom, row);
  }
}
