package org.ivit.train.operator.floating;

import java.util.Arrays;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.Reals;
import org.ivit.train.parameter.ParameterLayout;

/** A layer norm of the float network on rows of a chunk. */
final class FloatNorm {
  private final int channels;
  private final double epsilon;
  private final int weightFrom;
  private final int biasFrom;

  /**
   * @param name parameter prefix, such as {@code norm1}
   */
  FloatNorm(ParameterLayout layout, String name, int channels, double epsilon) {
    this.channels = channels;
    this.epsilon = epsilon;
    this.weightFrom = layout.from(name + ".weight");
    this.biasFrom = layout.from(name + ".bias");
  }

  /** Rows lie {@code xStride} apart in x and close together in y. */
  void forward(Reals weights, Reals x, int xFrom, int xStride, Reals y, int rows, Buffers buffers) {
    double[] gamma = buffers.doubles("norm.gamma", channels);
    double[] beta = buffers.doubles("norm.beta", channels);
    weights.get(weightFrom, gamma, 0, channels);
    weights.get(biasFrom, beta, 0, channels);
    FloatKernels.norm(
        x,
        xFrom,
        xStride,
        gamma,
        beta,
        epsilon,
        y,
        0,
        rows,
        channels,
        buffers.doubles("norm.x", channels));
  }

  /** Adds to {@code gradients} and to {@code gx}. */
  void backward(
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
    Arrays.fill(gammaGradient, 0);
    Arrays.fill(betaGradient, 0);
    weights.get(weightFrom, gamma, 0, channels);
    FloatKernels.normBackward(
        x,
        xFrom,
        xStride,
        gamma,
        epsilon,
        gy,
        gx,
        gxFrom,
        gammaGradient,
        betaGradient,
        rows,
        channels,
        buffers);
    double[] row = buffers.doubles("norm.x", channels);
    FloatKernels.add(gammaGradient, channels, gradients, weightFrom, row);
    FloatKernels.add(betaGradient, channels, gradients, biasFrom, row);
  }
}
