package org.ivit.train.observer;

import org.apache.commons.math3.optim.MaxEval;
import org.apache.commons.math3.optim.nonlinear.scalar.GoalType;
import org.apache.commons.math3.optim.univariate.BrentOptimizer;
import org.apache.commons.math3.optim.univariate.SearchInterval;
import org.apache.commons.math3.optim.univariate.UnivariateObjectiveFunction;
import org.apache.commons.math3.optim.univariate.UnivariatePointValuePair;
import org.ivit.core.scheme.Range;

/**
 * Clips where the mean squared quantization error over all batches is smallest. The error is taken
 * from a histogram; a coarse scan finds the valley and Brent's method its bottom.
 */
public final class Mse implements RangeObserver {
  private static final int SCAN = 48;
  private static final double SMALLEST = 1.0 / 256;

  private final Histogram histogram = new Histogram();

  @Override
  public Range observe(float[] values, int bits) {
    histogram.add(values);
    return histogram.clipped(clip(bits));
  }

  private double clip(int bits) {
    double largest = histogram.largest();
    if (largest == 0) {
      return 0;
    }
    double step = Math.pow(SMALLEST, 1.0 / SCAN);
    int best = 0;
    double bestError = error(largest, bits);
    for (int i = 1; i <= SCAN; i++) {
      double error = error(largest * Math.pow(step, i), bits);
      if (error < bestError) {
        best = i;
        bestError = error;
      }
    }
    double high = largest * Math.pow(step, Math.max(0, best - 1));
    double low = largest * Math.pow(step, best + 1);
    double start = largest * Math.pow(step, best);
    UnivariatePointValuePair found =
        new BrentOptimizer(1e-4, 1e-9 * largest)
            .optimize(
                new UnivariateObjectiveFunction(c -> error(c, bits)),
                GoalType.MINIMIZE,
                new SearchInterval(low, high, start),
                new MaxEval(100));
    return found.getValue() < bestError ? found.getPoint() : start;
  }

  /** Sum of squared errors with codes of the scale that clips at {@code c}. */
  private double error(double c, int bits) {
    int largestCode = (1 << (bits - 1)) - 1;
    double scale = c / largestCode;
    double width = histogram.width();
    boolean fine = width <= scale / 4;
    double sum = 0;
    for (int bin = 0; bin < Histogram.BINS; bin++) {
      long count = histogram.count(bin);
      if (count == 0) {
        continue;
      }
      double x = (bin + 0.5) * width;
      double squared;
      if (x > c) {
        squared = (x - c) * (x - c);
      } else if (fine) {
        double error = x - scale * Math.rint(x / scale);
        squared = error * error;
      } else {
        // Codes are closer than bins: values lie evenly between two codes.
        squared = scale * scale / 12;
      }
      sum += count * squared;
    }
    return sum;
  }
}
