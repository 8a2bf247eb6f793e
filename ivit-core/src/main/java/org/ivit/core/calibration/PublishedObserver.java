package org.ivit.core.calibration;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.ivit.core.InputException;
import org.ivit.core.scheme.Range;

/**
 * The published observer ({@code docs/arithmetic.md#observing-ranges}): the first batch's smallest
 * and largest value, then a moving average with momentum 0.95. Different nodes may be observed at
 * once.
 */
public final class PublishedObserver implements NodeObserver {
  private final Map<String, Range> ranges = new ConcurrentHashMap<>();

  @Override
  public Range observe(NodeValues values) {
    return ranges.merge(
        values.node().name(),
        rangeOf(values.node().name(), values.included()),
        Range::movedTowards);
  }

  /**
   * @param node full node name, for the message
   * @param values at least one value
   * @return smallest and largest; throws {@link InputException} where one is not finite
   */
  public static Range rangeOf(String node, float[] values) {
    try {
      return Range.of(values);
    } catch (InputException e) {
      throw new InputException(
          node + ": found a value that is not finite, expected finite values (is a weight NaN?)",
          e);
    }
  }
}
