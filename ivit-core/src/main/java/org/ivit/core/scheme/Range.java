package org.ivit.core.scheme;

import java.util.Arrays;
import org.ivit.core.InputException;
import org.ivit.core.arithmetic.Quantizer;

/**
 * The smallest and largest value of a node, from which its scale follows.
 *
 * @param min smallest value, finite
 * @param max largest value, finite, not below {@code min}
 */
public record Range(float min, float max) {
  /** Values that are compared at once, so that the loop over them vectorizes. */
  private static final int BLOCK = 512;

  /** Checks the bounds; throws {@link InputException} when they are not finite or out of order. */
  public Range {
    if (!Float.isFinite(min) || !Float.isFinite(max) || min > max) {
      throw new InputException(
          "range: found [" + min + ", " + max + "], expected finite bounds in order");
    }
  }

  /**
   * The smallest and largest of some values.
   *
   * @param values at least one
   * @throws InputException when there is none, or one is not finite
   */
  public static Range of(float[] values) {
    int width = Math.min(BLOCK, values.length);
    float[] block = new float[width];
    float[] smallest = new float[width];
    float[] largest = new float[width];
    Arrays.fill(smallest, Float.POSITIVE_INFINITY);
    Arrays.fill(largest, Float.NEGATIVE_INFINITY);
    for (int from = 0; from < values.length; from += width) {
      // The last block overlaps the one before it.
      System.arraycopy(values, Math.min(from, values.length - width), block, 0, width);
      for (int i = 0; i < block.length; i++) {
        smallest[i] = Math.min(smallest[i], block[i]);
        largest[i] = Math.max(largest[i], block[i]);
      }
    }
    float min = Float.POSITIVE_INFINITY;
    float max = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < width; i++) {
      min = Math.min(min, smallest[i]);
      max = Math.max(max, largest[i]);
    }
    return new Range(min, max);
  }

  /**
   * The scale of a range ({@code docs/arithmetic.md#from-float-to-codes}): {@code max(max(−min,
   * max) / (2^(bits−1)−1), 2^−23)}.
   *
   * @param bits width of the codes, 8 or 16
   * @return value of one code step
   */
  public float scale(int bits) {
    return Quantizer.scale(min, max, bits);
  }

  /**
   * The published observer ({@code docs/arithmetic.md#observing-ranges}): {@code
   * float32(float32(r·0.95f) + float32(batch·0.05f))} for each bound.
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
