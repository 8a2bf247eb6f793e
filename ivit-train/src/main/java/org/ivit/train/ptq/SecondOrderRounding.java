package org.ivit.train.ptq;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;
import org.bytedeco.openblas.global.openblas;
import org.ivit.core.InputException;
import org.ivit.core.arithmetic.LinearQuantizer;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.weight.WeightGrid;

/**
 * Rounds the weights of a linear layer so that the error of its output is small instead of that of
 * each weight: column by column, what rounding one input's weight leaves over is made up for by the
 * weights that are not rounded yet, as far as the inputs go together (GPTQ, Frantar et al. 2022).
 */
final class SecondOrderRounding {
  /** Added to the diagonal of the inputs' second moment, as a part of its mean. */
  private static final double DAMPING = 0.01;

  private static final byte UPPER = 'U';
  private static final int BITS = 8;

  private final String layer;
  private final int inputs;
  private final int[] order;
  private final double[] factor;

  /**
   * Factors the inverse of the second moment.
   *
   * @param layer for messages
   * @param moment mean of xᵀ·x over the inputs x, [inputs][inputs]
   * @param inputs number of input channels
   */
  SecondOrderRounding(String layer, double[] moment, int inputs) {
    this.layer = layer;
    this.inputs = inputs;
    double[] diagonal = new double[inputs];
    double mean = 0;
    for (int k = 0; k < inputs; k++) {
      diagonal[k] = moment[k * inputs + k];
      mean += diagonal[k] / inputs;
    }
    this.order =
        IntStream.range(0, inputs)
            .boxed()
            .sorted(Comparator.comparingDouble((Integer k) -> -diagonal[k]))
            .mapToInt(Integer::intValue)
            .toArray();
    double[] ordered = new double[inputs * inputs];
    for (int i = 0; i < inputs; i++) {
      for (int j = 0; j < inputs; j++) {
        ordered[i * inputs + j] = moment[order[i] * inputs + order[j]];
      }
      ordered[i * inputs + i] += mean > 0 ? DAMPING * mean : 1;
    }
    this.factor = ordered;
    run(
        "dpotrf",
        openblas.LAPACKE_dpotrf(openblas.LAPACK_ROW_MAJOR, UPPER, inputs, factor, inputs));
    run(
        "dpotri",
        openblas.LAPACKE_dpotri(openblas.LAPACK_ROW_MAJOR, UPPER, inputs, factor, inputs));
    run(
        "dpotrf",
        openblas.LAPACKE_dpotrf(openblas.LAPACK_ROW_MAJOR, UPPER, inputs, factor, inputs));
  }

  private void run(String routine, int info) {
    if (info != 0) {
      throw new InputException(
          "%s: weightRounding: secondOrder: its inputs' second moment has no factor (%s: %d),"
                  .formatted(layer, routine, info)
              + " expected finite activations");
    }
  }

  /**
   * The rounded weights.
   *
   * @param weight [outputs][inputs], not changed
   * @param scale of each output channel
   * @return codes times scale, [outputs][inputs]
   */
  float[] round(float[] weight, float[] scale) {
    return round(weight, scale, null);
  }

  /**
   * The weights rounded to codes of a grid.
   *
   * @param weight [outputs][inputs], not changed
   * @param scale of each output channel
   * @param grid of the layer, or null for all codes of 8 bits
   * @return codes times scale, [outputs][inputs]
   */
  float[] round(float[] weight, float[] scale, WeightGrid grid) {
    return round(weight, scale, grid, new double[scale.length]);
  }

  /**
   * As {@link #round(float[], float[], WeightGrid)}, and what it costs: with e what a channel's
   * weights change by and H the second moment with its damping, e·H·eᵀ.
   *
   * @param costs receives that of each output channel
   */
  float[] round(float[] weight, float[] scale, WeightGrid grid, double[] costs) {
    float[] rounded = new float[weight.length];
    double[] left = new double[inputs];
    for (int c = 0; c < scale.length; c++) {
      int row = c * inputs;
      for (int k = 0; k < inputs; k++) {
        left[k] = weight[row + order[k]];
      }
      float reciprocal = Quantizer.reciprocal(scale[c]);
      costs[c] = 0;
      for (int k = 0; k < inputs; k++) {
        float value =
            LinearQuantizer.code(grid, c, order[k], (float) left[k], reciprocal) * scale[c];
        rounded[row + order[k]] = value;
        int u = k * inputs;
        // e is Σ error·(row k of the factor), and the factor that of H's inverse.
        double error = (left[k] - value) / factor[u + k];
        costs[c] += error * error;
        for (int j = k + 1; j < inputs; j++) {
          left[j] -= error * factor[u + j];
        }
      }
    }
    return rounded;
  }

  /**
   * The scales that the weights have by themselves, before any rounding.
   *
   * @param weight [outputs][inputs]
   * @param inputs number of input channels
   * @return [outputs]
   */
  static float[] scales(float[] weight, int inputs) {
    float[] scales = new float[weight.length / inputs];
    for (int c = 0; c < scales.length; c++) {
      float[] row = Arrays.copyOfRange(weight, c * inputs, (c + 1) * inputs);
      float min = Float.POSITIVE_INFINITY;
      float max = Float.NEGATIVE_INFINITY;
      for (float w : row) {
        min = Math.min(min, w);
        max = Math.max(max, w);
      }
      scales[c] = Quantizer.scale(min, max, BITS);
    }
    return scales;
  }
}
