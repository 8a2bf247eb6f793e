package org.ivit.train.ptq;

import org.ivit.train.memory.Gemm;
import org.ivit.train.memory.RealMatrix;
import org.ivit.train.memory.RealType;
import org.ivit.train.memory.Reals;

/**
 * Weighted mean and second moment of the rows that go into a linear layer, for one thread at a
 * time. It takes 4·C² bytes outside the heap for C channels. Sums are taken about the mean of the
 * first rows, so that float32 holds what varies about a mean far from zero.
 */
final class SecondMoment {
  private final int channels;
  private final Gemm gemm;
  private final Reals sum;
  private final double[] sums;
  private double[] origin;
  private double total;
  private long rows;

  /**
   * @param channels of a row
   * @param gemm products
   */
  SecondMoment(int channels, Gemm gemm) {
    this.channels = channels;
    this.gemm = gemm;
    this.sum = Reals.allocate(RealType.FLOAT32, channels * channels);
    this.sums = new double[channels];
  }

  /**
   * Adds rows.
   *
   * @param x holds them, from its first element on
   * @param weights what each row counts, at least 0
   */
  void add(Reals x, double[] weights) {
    int count = weights.length;
    float[] values = new float[count * channels];
    x.get(0, values, 0, values.length);
    if (origin == null) {
      origin = new double[channels];
      for (int i = 0; i < values.length; i++) {
        origin[i % channels] += values[i] / count;
      }
    }
    for (int r = 0; r < count; r++) {
      double root = Math.sqrt(weights[r]);
      int at = r * channels;
      for (int c = 0; c < channels; c++) {
        double centred = values[at + c] - origin[c];
        sums[c] += weights[r] * centred;
        values[at + c] = (float) (root * centred);
      }
      total += weights[r];
    }
    Reals scaled = Reals.allocate(RealType.FLOAT32, values.length);
    scaled.put(0, values, 0, values.length);
    RealMatrix z = new RealMatrix(scaled, 0, count, channels);
    gemm.multiply(1, z.transpose(), z, 1, new RealMatrix(sum, 0, channels, channels));
    rows += count;
  }

  /**
   * Rows about the point near their mean that sums are taken about.
   *
   * @param x holds them, from its first element on
   * @param count number of rows, of which some were added before
   */
  RealMatrix centred(Reals x, int count) {
    float[] values = new float[count * channels];
    x.get(0, values, 0, values.length);
    for (int i = 0; i < values.length; i++) {
      values[i] -= (float) origin[i % channels];
    }
    Reals centred = Reals.allocate(RealType.FLOAT32, values.length);
    centred.put(0, values, 0, values.length);
    return new RealMatrix(centred, 0, count, channels);
  }

  /** Number of rows that were added. */
  long rows() {
    return rows;
  }

  /** Mean of the rows, [channels]. */
  double[] mean() {
    double[] mean = new double[channels];
    for (int c = 0; c < channels; c++) {
      mean[c] = origin[c] + sums[c] / total;
    }
    return mean;
  }

  /** Mean of (x − c)ᵀ·(x − c) about a point c, [channels][channels]. */
  private double[] about(double[] point) {
    double[] moment = new double[channels * channels];
    sum.get(0, moment, 0, moment.length);
    double[] mean = new double[channels];
    double[] shift = new double[channels];
    for (int c = 0; c < channels; c++) {
      mean[c] = sums[c] / total;
      shift[c] = point[c] - origin[c];
    }
    for (int i = 0; i < channels; i++) {
      for (int j = 0; j < channels; j++) {
        int at = i * channels + j;
        moment[at] =
            moment[at] / total - shift[i] * mean[j] - mean[i] * shift[j] + shift[i] * shift[j];
      }
    }
    return moment;
  }

  /** Second moment about the mean, [channels][channels]. */
  double[] centred() {
    return about(mean());
  }

  /** Second moment about zero, [channels][channels]. */
  double[] raw() {
    return about(new double[channels]);
  }
}
