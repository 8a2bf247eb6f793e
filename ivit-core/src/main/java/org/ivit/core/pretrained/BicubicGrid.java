package org.ivit.core.pretrained;

import java.util.Arrays;

/**
 * Resamples a square grid of vectors by cubic convolution, in float64, as PyTorch's {@code
 * interpolate(mode="bicubic", align_corners=False)}: with {@code antialias=True} a = −½ and a
 * filter that widens when the grid shrinks, without it a = −¾ and the nearest four places always.
 */
final class BicubicGrid {
  private static final double ANTIALIASED = -0.5;
  private static final double PLAIN = -0.75;

  private BicubicGrid() {}

  /**
   * @param values [size][size][channels]
   * @param to the new size
   * @param antialias see above
   * @return [to][to][channels]
   */
  static float[] resample(float[] values, int size, int to, int channels, boolean antialias) {
    double[][] weights = weights(size, to, antialias);
    double[] rows = new double[to * size * channels];
    for (int i = 0; i < to; i++) {
      for (int y = 0; y < size; y++) {
        double w = weights[i][y];
        for (int k = 0; w != 0 && k < size * channels; k++) {
          rows[i * size * channels + k] += w * values[y * size * channels + k];
        }
      }
    }
    float[] out = new float[to * to * channels];
    double[] sum = new double[channels];
    for (int i = 0; i < to; i++) {
      for (int j = 0; j < to; j++) {
        Arrays.fill(sum, 0);
        for (int x = 0; x < size; x++) {
          double w = weights[j][x];
          for (int c = 0; w != 0 && c < channels; c++) {
            sum[c] += w * rows[(i * size + x) * channels + c];
          }
        }
        for (int c = 0; c < channels; c++) {
          out[(i * to + j) * channels + c] = (float) sum[c];
        }
      }
    }
    return out;
  }

  /** Weights of the old places, by new place. */
  private static double[][] weights(int size, int to, boolean antialias) {
    double scale = (double) size / to;
    double[][] weights = new double[to][size];
    for (int i = 0; i < to; i++) {
      double centre = (i + 0.5) * scale;
      if (antialias) {
        antialiased(weights[i], centre, Math.max(scale, 1));
      } else {
        plain(weights[i], centre - 0.5);
      }
    }
    return weights;
  }

  private static void antialiased(double[] weights, double centre, double width) {
    double sum = 0;
    for (int x = 0; x < weights.length; x++) {
      weights[x] = cubic((x + 0.5 - centre) / width, ANTIALIASED);
      sum += weights[x];
    }
    for (int x = 0; x < weights.length; x++) {
      weights[x] /= sum;
    }
  }

  /** Places beyond the border repeat it. */
  private static void plain(double[] weights, double centre) {
    int floor = (int) Math.floor(centre);
    for (int x = floor - 1; x <= floor + 2; x++) {
      weights[Math.max(0, Math.min(weights.length - 1, x))] += cubic(x - centre, PLAIN);
    }
  }

  private static double cubic(double x, double a) {
    double d = Math.abs(x);
    if (d < 1) {
      return ((a + 2) * d - (a + 3)) * d * d + 1;
    }
    return d < 2 ? (((d - 5) * d + 8) * d - 4) * a : 0;
  }
}
