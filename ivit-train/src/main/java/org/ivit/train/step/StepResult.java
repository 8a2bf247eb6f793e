package org.ivit.train.step;

import java.util.SortedMap;
import org.ivit.core.scheme.Range;

/**
 * The outcome of a step.
 *
 * @param loss mean over the pictures
 * @param gradientNorm global norm of the mean gradient before clipping
 * @param seen smallest and largest value of every node over all micro-batches; empty when nothing
 *     was observed
 */
public record StepResult(double loss, double gradientNorm, SortedMap<String, Range> seen) {
  /** Whether loss and gradient are finite; where they are not, a step moves nothing. */
  public boolean finite() {
    return Double.isFinite(loss) && Double.isFinite(gradientNorm);
  }
}
