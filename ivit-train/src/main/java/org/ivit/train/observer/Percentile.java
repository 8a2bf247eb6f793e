package org.ivit.train.observer;

import org.ivit.core.scheme.Range;

/**
 * Clips at a percentile of |x| over all batches, since codes are symmetric around 0. The percentile
 * is read off a histogram, linear within a bin.
 */
public final class Percentile implements RangeObserver {
  private final double percent;
  private final Histogram histogram = new Histogram();

  /**
   * @param percent share of the values that is not clipped, 0 to 100
   */
  public Percentile(double percent) {
    this.percent = percent;
  }

  @Override
  public Range observe(float[] values, int bits) {
    histogram.add(values);
    double left = histogram.total() * (percent / 100);
    double limit = histogram.largest();
    for (int bin = 0; bin < Histogram.BINS; bin++) {
      long count = histogram.count(bin);
      if (count > 0 && left <= count) {
        limit = Math.min(limit, histogram.width() * (bin + left / count));
        break;
      }
      left -= count;
    }
    return histogram.clipped(limit);
  }
}
