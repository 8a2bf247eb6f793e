package org.ivit.train.observer;

import org.ivit.core.scheme.Range;

/**
 * A range that values do not change.
 *
 * @param range the range
 */
public record Fixed(Range range) implements RangeObserver {
  @Override
  public Range observe(float[] values, int bits) {
    return range;
  }
}
