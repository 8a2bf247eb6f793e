package org.ivit.train.observer;

import org.ivit.core.scheme.Range;

/**
 * Counts of |x| in {@value #BINS} bins of equal width from 0 to a power of two. A larger value
 * doubles the width by adding neighbours, so the counts do not depend on how values come in
 * batches.
 */
final class Histogram {
  static final int BINS = 1 << 14;

  private long[] counts = new long[BINS];
  private double width;
  private long total;
  private float min;
  private float max;

  /** Adds finite values. */
  void add(float[] values) {
    Range range = Range.of(values);
    min = total == 0 ? range.min() : Math.min(min, range.min());
    max = total == 0 ? range.max() : Math.max(max, range.max());
    float largest = Math.max(-range.min(), range.max());
    if (largest > 0) {
      cover(largest);
    }
    double perUnit = width > 0 ? 1 / width : 0;
    for (float value : values) {
      counts[Math.min(BINS - 1, (int) (Math.abs(value) * perUnit))]++;
    }
    total += values.length;
  }

  private void cover(float largest) {
    // The exponent is limited so that width and its reciprocal stay normal numbers.
    double needed = Math.scalb(1.0, Math.max(-120, Math.getExponent(largest) + 1)) / BINS;
    if (width == 0) {
      width = needed;
    }
    while (width < needed) {
      long[] wider = new long[BINS];
      for (int i = 0; i < BINS; i++) {
        wider[i / 2] += counts[i];
      }
      counts = wider;
      width *= 2;
    }
  }

  long total() {
    return total;
  }

  long count(int bin) {
    return counts[bin];
  }

  /** Width of a bin, 0 while all values are 0. */
  double width() {
    return width;
  }

  /** Largest |x| seen. */
  double largest() {
    return Math.max(-min, max);
  }

  /** Everything seen, clipped to [−limit, limit]. */
  Range clipped(double limit) {
    float c = (float) limit;
    return new Range(Math.max(min, Math.min(-c, max)), Math.min(max, Math.max(c, min)));
  }
}
