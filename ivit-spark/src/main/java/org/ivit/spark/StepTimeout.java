package org.ivit.spark;

import java.util.ArrayDeque;
import java.util.Deque;
import org.ivit.core.InputException;

/**
 * After how long a step is held up by a straggler: ten times the median of the last steps and at
 * least a minute, or what the property {@value #PROPERTY} says. The first step, in which executors
 * open their files, may take any time.
 */
final class StepTimeout {
  /** System property: seconds. */
  static final String PROPERTY = "ivit.spark.stepTimeout";

  private static final int KEPT = 9;
  private static final int FACTOR = 10;
  private static final long LEAST_MILLIS = 60_000;

  private final Deque<Long> steps = new ArrayDeque<>();
  private final long fixed;

  /**
   * @param text of the property, or null
   * @throws InputException if it is no positive number of seconds
   */
  StepTimeout(String text) {
    fixed = text == null || text.isBlank() ? 0 : parse(text.strip());
  }

  private static long parse(String text) {
    try {
      double seconds = Double.parseDouble(text);
      if (seconds > 0 && seconds <= 1e6) {
        return Math.max(1, (long) (1000 * seconds));
      }
    } catch (NumberFormatException e) {
      throw refusal(text, e);
    }
    throw refusal(text, null);
  }

  private static InputException refusal(String text, Throwable cause) {
    return new InputException(
        "property %s: found '%s', expected seconds above 0, at most 1000000"
            .formatted(PROPERTY, text),
        cause);
  }

  /** A step is done. */
  void add(long millis) {
    steps.add(millis);
    if (steps.size() > KEPT) {
      steps.remove();
    }
  }

  /** Milliseconds for the coming step; {@link Long#MAX_VALUE} where it may take any time. */
  long millis() {
    if (steps.isEmpty()) {
      return Long.MAX_VALUE;
    }
    if (fixed > 0) {
      return fixed;
    }
    long median = steps.stream().sorted().skip(steps.size() / 2).findFirst().orElseThrow();
    return Math.max(LEAST_MILLIS, FACTOR * median);
  }
}
