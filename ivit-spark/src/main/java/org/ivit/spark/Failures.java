package org.ivit.spark;

import java.util.stream.Stream;
import org.ivit.core.InputException;

/** What Spark's exceptions mean. */
final class Failures {
  private Failures() {}

  /** The first line of what went wrong; Spark's messages hold whole stack traces. */
  static String reason(Throwable e) {
    String message = e.getMessage() == null ? e.toString() : e.getMessage();
    return message.lines().findFirst().orElse(e.toString());
  }

  /**
   * What a failed job is to the user.
   *
   * @param e of Spark
   * @return an {@link InputException} where the cluster cannot run this
   */
  static RuntimeException of(Throwable e) {
    boolean tooOld =
        Stream.iterate(e, t -> t != null, Throwable::getCause)
            .limit(32)
            .anyMatch(t -> String.valueOf(t.getMessage()).contains("UnsupportedClassVersionError"));
    if (tooOld) {
      return new InputException(
          "--spark: found executors on an older Java, expected 17 or 21 on all machines", e);
    }
    return new IllegalStateException("Spark: " + reason(e), e);
  }
}
