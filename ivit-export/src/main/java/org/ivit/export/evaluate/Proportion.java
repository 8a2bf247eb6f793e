package org.ivit.export.evaluate;

import org.apache.commons.math3.stat.interval.ConfidenceInterval;
import org.apache.commons.math3.stat.interval.WilsonScoreInterval;

/**
 * A count out of a total.
 *
 * @param count 0 ≤ count ≤ total
 * @param total at least 1
 */
public record Proportion(int count, int total) {
  private static final double CONFIDENCE = 0.95;

  /** Refuses impossible counts. */
  public Proportion {
    if (total < 1 || count < 0 || count > total) {
      throw new IllegalArgumentException(count + " of " + total);
    }
  }

  /** Count over total. */
  public double fraction() {
    return (double) count / total;
  }

  /** Lower end of the 95 % Wilson score interval. */
  public double low() {
    return count == 0 ? 0 : interval().getLowerBound();
  }

  /** Upper end of the 95 % Wilson score interval. */
  public double high() {
    return count == total ? 1 : interval().getUpperBound();
  }

  private ConfidenceInterval interval() {
    return new WilsonScoreInterval().createInterval(total, count, CONFIDENCE);
  }
}
