package org.ivit.core.engine;

import java.util.Arrays;

/** Times of repeated calls and their quantiles, in the unit of the times. */
public final class Timings {
  private final double[] sorted;

  /**
   * @param times at least one, in any order
   */
  public Timings(double[] times) {
    if (times.length == 0) {
      throw new IllegalArgumentException("no times");
    }
    sorted = times.clone();
    Arrays.sort(sorted);
  }

  /** Returns how many calls were timed. */
  public int calls() {
    return sorted.length;
  }

  /** Returns the time of the fastest call. */
  public double least() {
    return sorted[0];
  }

  /** Returns the time that half of the calls were faster than. */
  public double median() {
    return quantile(0.5);
  }

  /**
   * Returns a quantile, linear between the neighbours in rank.
   *
   * @param q 0 ≤ q ≤ 1
   */
  public double quantile(double q) {
    double rank = q * (sorted.length - 1);
    int low = (int) rank;
    int high = Math.min(low + 1, sorted.length - 1);
    return sorted[low] + (rank - low) * (sorted[high] - sorted[low]);
  }
}
