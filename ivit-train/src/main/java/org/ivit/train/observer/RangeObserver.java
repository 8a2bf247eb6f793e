package org.ivit.train.observer;

import org.ivit.core.scheme.Range;
import org.ivit.train.recipe.ObserverChoice;

/**
 * Chooses the range of one node. During calibration it sees every value of a batch and answers with
 * the range to use at once; while ranges move in training it sees the smallest and largest value of
 * a step. Not thread-safe.
 */
public interface RangeObserver {
  /**
   * Takes a batch of calibration.
   *
   * @param values finite values before requantization, outlier channels left out; at least one
   * @param bits width of the node's codes
   * @return the range to use from now on
   */
  Range observe(float[] values, int bits);

  /**
   * Takes a training step.
   *
   * @param current the range that the step used
   * @param batch smallest and largest value of the step
   * @return the range of the next step; {@code current} for observers that need all values
   */
  default Range move(Range current, Range batch) {
    return current;
  }

  /** The observer that a recipe names. */
  static RangeObserver of(ObserverChoice choice) {
    if (choice instanceof ObserverChoice.MovingMinMax moving) {
      return new MovingMinMax(moving.momentum());
    } else if (choice instanceof ObserverChoice.MinMax) {
      return new MinMax();
    } else if (choice instanceof ObserverChoice.Percentile percentile) {
      return new Percentile(percentile.percent());
    } else if (choice instanceof ObserverChoice.Mse) {
      return new Mse();
    }
    ObserverChoice.Fixed fixed = (ObserverChoice.Fixed) choice;
    return new Fixed(new Range((float) fixed.min(), (float) fixed.max()));
  }
}
