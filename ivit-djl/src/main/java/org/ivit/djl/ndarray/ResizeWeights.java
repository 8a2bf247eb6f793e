package org.ivit.djl.ndarray;

import ai.djl.modality.cv.Image;
import java.util.Arrays;

/**
 * Which elements of an axis make one of another length, and with what weights, as PyTorch defines
 * it for DJL: without aligned corners, triangle and cubic with antialiasing. Weights are float32;
 * intermediate values have the precision that they have there.
 *
 * @param first [to] the first of the elements
 * @param weights [to][elements]
 * @param divisors [to] what the sum is divided by
 */
record ResizeWeights(int[] first, float[][] weights, float[] divisors) {
  /** Half of a filter's width, before antialiasing widens it. */
  private static final int TRIANGLE = 1;

  private static final int CUBIC = 2;

  static ResizeWeights of(Image.Interpolation interpolation, int from, int to) {
    if (to < 1) {
      throw new IllegalArgumentException("resize: found a side of " + to + ", expected at least 1");
    }
    return switch (interpolation) {
      case NEAREST -> nearest(from, to);
      case BILINEAR -> filtered(TRIANGLE, from, to);
      case AREA -> area(from, to);
      case BICUBIC -> filtered(CUBIC, from, to);
    };
  }

  private static float[] ones(int length) {
    float[] ones = new float[length];
    Arrays.fill(ones, 1);
    return ones;
  }

  private static ResizeWeights nearest(int from, int to) {
    float scale = (float) from / to;
    int[] first = new int[to];
    float[][] weights = new float[to][];
    for (int i = 0; i < to; i++) {
      first[i] = Math.min((int) Math.floor(i * scale), from - 1);
      weights[i] = ones(1);
    }
    return new ResizeWeights(first, weights, ones(to));
  }

  /** The mean of all elements that the target touches. */
  private static ResizeWeights area(int from, int to) {
    int[] first = new int[to];
    float[][] weights = new float[to][];
    float[] divisors = new float[to];
    for (int i = 0; i < to; i++) {
      first[i] = (int) ((long) i * from / to);
      int end = (int) (((long) (i + 1) * from + to - 1) / to);
      weights[i] = ones(end - first[i]);
      divisors[i] = end - first[i];
    }
    return new ResizeWeights(first, weights, divisors);
  }

  private static ResizeWeights filtered(int filter, int from, int to) {
    float scale = (float) from / to;
    float support = scale >= 1 ? filter * scale : filter;
    float inverse = scale >= 1 ? (float) (1.0 / scale) : 1;
    int[] first = new int[to];
    float[][] weights = new float[to][];
    for (int i = 0; i < to; i++) {
      float centre = (float) (scale * (i + 0.5));
      first[i] = Math.max(0, (int) (centre - support + 0.5));
      int end = Math.min(from, (int) (centre + support + 0.5));
      weights[i] = new float[end - first[i]];
      float total = 0;
      for (int k = 0; k < weights[i].length; k++) {
        float distance = (float) Math.abs((first[i] + k - centre + 0.5) * inverse);
        weights[i][k] = filter == TRIANGLE ? triangle(distance) : cubic(distance);
        total += weights[i][k];
      }
      for (int k = 0; k < weights[i].length; k++) {
        weights[i][k] /= total;
      }
    }
    return new ResizeWeights(first, weights, ones(to));
  }

  private static float triangle(float x) {
    return x < 1 ? 1 - x : 0;
  }

  /** Cubic convolution with −½. */
  private static float cubic(float x) {
    if (x < 1) {
      return (1.5f * x - 2.5f) * x * x + 1;
    }
    return x < 2 ? ((-0.5f * x + 2.5f) * x - 4) * x + 2 : 0;
  }
}
