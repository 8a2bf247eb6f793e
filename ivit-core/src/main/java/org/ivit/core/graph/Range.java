package org.ivit.core.graph;

import org.ivit.core.InputException;
import org.ivit.core.arithmetic.Quantizer;

/**
 * The smallest and largest value of a node, from which its scale follows.
 *
 * @param min smallest value, finite
 * @param max largest value, finite, not below {@code min}
 */
public record Range(float min, float max) {
  /** Checks the bounds; throws {@link InputException} when they are not finite or out of order. */
  public Range {
    if (!Float.isFinite(min) || !Float.isFinite(max) || min > max) {
      throw new InputException(
          "range: found [" + min + ", " + max + "], expected finite bounds in order");
    }
  }

  /**
   * The smallest and largest of some values. Four of each are kept on the way, since a loop over
   * one is as slow as the processor's minimum takes.
   *
   * @param values at least one
   * @throws InputException when there is none, or one is not finite
   */
  public static Range of(float[] values) {
    float min = Float.POSITIVE_INFINITY;
    float max = Float.NEGATIVE_INFINITY;
    float min1 = min;
    float max1 = max;
    float min2 = min;
    float max2 = max;
    float min3 = min;
    float max3 = max;
    int i = 0;
    for (; i + 4 <= values.length; i += 4) {
      min = Math.min(min, values[i]);
      max = Math.max(max, values[i]);
      min1 = Math.min(min1, values[i + 1]);
      max1 = Math.max(max1, values[i + 1]);
      min2 = Math.min(min2, values[i + 2]);
      max2 = Math.max(max2, values[i + 2]);
      min3 = Math.min(min3, values[i + 3]);
      max3 = Math.max(max3, values[i + 3]);
    }
    for (; i < values.length; i++) {
      min = Math.min(min, values[i]);
      max = Math.max(max, values[i]);
    }
    return new Range(
        Math.min(Math.min(min, min1), Math.min(min2, min3)),
        Math.max(Math.max(max, max1), Math.max(max2, max3)));
  }

  /**
   * The scale of §1: {@code max(max(−min, max) / (2^(bits−1)−1), 2^−23)}.
   *
   * @param bits width of the codes, 8 or 16
   * @return value of one code step
   */
  public float scale(int bits) {
    return Quantizer.scale(min, max, bits);
  }

  /**
   * The published observer, §10: {@code float32(float32(r·0.95f) + float32(batch·0.05f))} for each
   * bound.
   *
   * @param batch smallest and largest value of a batch
   * @return this range moved towards the batch
   */
  public Range movedTowards(Range batch) {
    return new Range(min * 0.95f + batch.min * 0.05f, max * 0.95f + batch.max * 0.05f);
  }

  /**
   * @param other another range
   * @return the smallest range that holds both
   */
  public Range union(Range other) {
    return new Range(Math.min(min, other.min), Math.max(max, other.max));
  }
}
