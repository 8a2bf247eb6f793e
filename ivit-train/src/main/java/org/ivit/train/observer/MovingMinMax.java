package org.ivit.train.observer;

import org.ivit.core.scheme.Range;

/**
 * The published observer: the first batch's smallest and largest value, then {@code r =
 * float32(float32(r·momentum) + float32(batch·(1−momentum)))}.
 */
public final class MovingMinMax implements RangeObserver {
  private final float keep;
  private final float take;
  private Range range;

  /**
   * @param momentum 0.95 as published
   */
  public MovingMinMax(double momentum) {
    this.keep = (float) momentum;
    this.take = (float) (1 - momentum);
  }

  @Override
  public Range observe(float[] values, int bits) {
    Range batch = Range.of(values);
    range = range == null ? batch : move(range, batch);
    return range;
  }

  @Override
  public Range move(Range current, Range batch) {
    return new Range(
        current.min() * keep + batch.min() * take, current.max() * keep + batch.max() * take);
  }
}
