package org.ivit.core.pretrained;

import java.util.Arrays;
import org.ivit.core.pretrained.names.TimmNames;

/**
 * Rules by which the sources of models resample a grid of vectors to another number of rows and
 * columns, in float64. A new place i of an axis looks at the old one at scale·(i + ½) − ½, scale =
 * old/new.
 */
public enum GridResampling {
  /**
   * Cubic convolution, a = −½, of a filter that widens when the grid shrinks: timm, open_clip,
   * DINOv2 with registers.
   */
  BICUBIC_ANTIALIAS {
    @Override
    double[][] weights(int size, int to) {
      return antialiased(size, to, 2, d -> cubic(d, -0.5));
    }
  },
  /**
   * Cubic convolution, a = −¾, of the nearest four places, which repeat at the border: DINOv2, CLIP
   * and ViT in Hugging Face, windows of Swin.
   */
  BICUBIC {
    @Override
    double[][] weights(int size, int to) {
      return plain(size, to, (double) size / to, 2, d -> cubic(d, -0.75));
    }
  },
  /** The same with scale = old/(new + 0.1): the release of DINOv2 without registers. */
  BICUBIC_OFFSET {
    @Override
    double[][] weights(int size, int to) {
      return plain(size, to, size / (to + 0.1), 2, d -> cubic(d, -0.75));
    }
  },
  /** Linear between the nearest two places: big_vision. */
  BILINEAR {
    @Override
    double[][] weights(int size, int to) {
      return plain(size, to, (double) size / to, 1, GridResampling::linear);
    }
  },
  /** Linear, of a filter that widens when the grid shrinks. */
  BILINEAR_ANTIALIAS {
    @Override
    double[][] weights(int size, int to) {
      return antialiased(size, to, 1, GridResampling::linear);
    }
  };

  /**
   * The rule of a source for its position embeddings.
   *
   * @param source who named the tensors
   * @param registers whether the model has register tokens
   */
  static GridResampling of(TimmNames.Source source, boolean registers) {
    return switch (source) {
      case TIMM, DINOV3, OPEN_CLIP, AUGREG, TORCHVISION -> BICUBIC_ANTIALIAS;
      case DINOV2 -> registers ? BICUBIC_ANTIALIAS : BICUBIC_OFFSET;
      case HUGGING_FACE -> registers ? BICUBIC_ANTIALIAS : BICUBIC;
      case HUGGING_FACE_TOWER -> BICUBIC;
      case BIG_VISION -> BILINEAR;
    };
  }

  /** The weight of a place at a distance. */
  private interface Filter {
    double at(double distance);
  }

  /** Weights of the old places of an axis, by new place: [to][size]. */
  abstract double[][] weights(int size, int to);

  /**
   * Resamples a grid.
   *
   * @param values [rows][columns][channels]
   * @return [toRows][toColumns][channels]
   */
  double[] resample(
      double[] values, int rows, int columns, int toRows, int toColumns, int channels) {
    double[] tall = along(values, weights(rows, toRows), 1, columns * channels);
    return along(tall, weights(columns, toColumns), toRows, channels);
  }

  /** As {@link #resample(double[], int, int, int, int, int)}, rounded once. */
  float[] resample(float[] values, int rows, int columns, int toRows, int toColumns, int channels) {
    double[] wide = new double[values.length];
    Arrays.setAll(wide, i -> values[i]);
    double[] resampled = resample(wide, rows, columns, toRows, toColumns, channels);
    float[] rounded = new float[resampled.length];
    for (int i = 0; i < rounded.length; i++) {
      rounded[i] = (float) resampled[i];
    }
    return rounded;
  }

  /** Along the middle axis of [outer][size][inner]. */
  private static double[] along(double[] values, double[][] weights, int outer, int inner) {
    int size = weights[0].length;
    double[] out = new double[outer * weights.length * inner];
    for (int o = 0; o < outer; o++) {
      for (int i = 0; i < weights.length; i++) {
        int to = (o * weights.length + i) * inner;
        for (int x = 0; x < size; x++) {
          double w = weights[i][x];
          int from = (o * size + x) * inner;
          for (int c = 0; w != 0 && c < inner; c++) {
            out[to + c] += w * values[from + c];
          }
        }
      }
    }
    return out;
  }

  private static double[][] antialiased(int size, int to, int support, Filter filter) {
    double scale = (double) size / to;
    double width = Math.max(scale, 1);
    double[][] weights = new double[to][size];
    for (int i = 0; i < to; i++) {
      double centre = (i + 0.5) * scale;
      double sum = 0;
      for (int x = 0; x < size; x++) {
        double distance = Math.abs(x + 0.5 - centre) / width;
        weights[i][x] = distance < support ? filter.at(distance) : 0;
        sum += weights[i][x];
      }
      for (int x = 0; x < size; x++) {
        weights[i][x] /= sum;
      }
    }
    return weights;
  }

  /** Places beyond the border repeat it. */
  private static double[][] plain(int size, int to, double scale, int support, Filter filter) {
    double[][] weights = new double[to][size];
    for (int i = 0; i < to; i++) {
      double centre = scale * (i + 0.5) - 0.5;
      int floor = (int) Math.floor(centre);
      for (int x = floor - support + 1; x <= floor + support; x++) {
        int place = Math.max(0, Math.min(size - 1, x));
        weights[i][place] += filter.at(Math.abs(x - centre));
      }
    }
    return weights;
  }

  private static double cubic(double d, double a) {
    if (d < 1) {
      return ((a + 2) * d - (a + 3)) * d * d + 1;
    }
    return d < 2 ? (((d - 5) * d + 8) * d - 4) * a : 0;
  }

  private static double linear(double d) {
    return Math.max(0, 1 - d);
  }
}
