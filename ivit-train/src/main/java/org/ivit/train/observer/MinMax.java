package org.ivit.train.observer;

import org.ivit.core.scheme.Range;

/** The smallest and largest value ever seen. */
public final class MinMax implements RangeObserver {
  private Range range;

  @Override
  public Range observe(float[] values, int bits) {
    Range batch = Range.of(values);
    range = range == null ? batch : move(range, batch);
    return range;
  }

  @Override
  public Range move(Range current, Range batch) {
    return new Range(Math.min(current.min(), batch.min()), Math.max(current.max(), batch.max()));
  }
}
