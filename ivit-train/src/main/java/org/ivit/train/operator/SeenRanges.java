package org.ivit.train.operator;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.SortedMap;
import org.ivit.core.InputException;
import org.ivit.core.scheme.Range;
import org.ivit.train.memory.Buffers;

/**
 * Smallest and largest value of each node in one pass ({@code
 * docs/arithmetic.md#observing-ranges}). Values are computed in float64; rounding to float32 keeps
 * their order, so only the extremes are rounded.
 */
public final class SeenRanges {
  private final Map<String, double[]> extremes = new HashMap<>();

  /** Forgets everything. */
  public void clear() {
    extremes.clear();
  }

  /** Room for the smallest code of each channel; null where nothing is recorded. */
  public static int[] smallest(SeenRanges seen, int channels, Buffers scratch) {
    return seen == null ? null : filled("seen.smallest", Integer.MAX_VALUE, channels, scratch);
  }

  /** Room for the largest code of each channel; null where nothing is recorded. */
  public static int[] largest(SeenRanges seen, int channels, Buffers scratch) {
    return seen == null ? null : filled("seen.largest", Integer.MIN_VALUE, channels, scratch);
  }

  private static int[] filled(String name, int value, int channels, Buffers scratch) {
    int[] extremes = scratch.ints(name, channels);
    Arrays.fill(extremes, 0, channels, value);
    return extremes;
  }

  /**
   * Takes the extremes of some values of a node; {@code min} above {@code max} means that there
   * were none.
   */
  public void include(String node, double min, double max) {
    if (min > max) {
      return;
    }
    double[] seen =
        extremes.computeIfAbsent(
            node, n -> new double[] {Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY});
    seen[0] = Math.min(seen[0], min);
    seen[1] = Math.max(seen[1], max);
  }

  /**
   * Adds what was seen to {@code target}.
   *
   * @throws InputException naming the node, if an extreme is not finite
   */
  public void addTo(SortedMap<String, Range> target) {
    extremes.forEach(
        (node, seen) -> {
          try {
            target.merge(node, new Range((float) seen[0], (float) seen[1]), Range::union);
          } catch (InputException e) {
            throw new InputException(node + ": " + e.getMessage(), e);
          }
        });
  }
}
