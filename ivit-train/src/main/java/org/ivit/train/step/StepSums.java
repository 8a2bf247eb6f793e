package org.ivit.train.step;

import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;
import org.ivit.core.scheme.Range;

/**
 * What passes over pictures of a step found beside the gradient.
 *
 * @param loss summed over the pictures
 * @param pictures how many
 * @param seen smallest and largest value of every node; empty when nothing was observed
 */
public record StepSums(double loss, int pictures, SortedMap<String, Range> seen) {
  /** Of no pictures. */
  public static final StepSums NONE = new StepSums(0, 0, Collections.emptySortedMap());

  /** Of these pictures and others. */
  public StepSums plus(StepSums other) {
    SortedMap<String, Range> both = new TreeMap<>(seen);
    other.seen.forEach((node, range) -> both.merge(node, range, Range::union));
    return new StepSums(loss + other.loss, pictures + other.pictures, both);
  }

  /**
   * The step that follows.
   *
   * @param norm global norm of the gradient, summed over the pictures
   */
  public StepResult result(double norm) {
    return new StepResult(loss / pictures, norm / pictures, seen);
  }
}
