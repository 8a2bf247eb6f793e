package org.ivit.core.checkpoint;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.ivit.core.InputException;
import org.ivit.core.MessageText;

/**
 * The date that written files carry: now, or what the environment variable {@code
 * SOURCE_DATE_EPOCH} says, so that the same model can be written to the same bytes again
 * (reproducible-builds.org/specs/source-date-epoch).
 */
public final class SourceDate {
  private static final String VARIABLE = "SOURCE_DATE_EPOCH";

  /** The last second of the year 9999. */
  private static final long LAST = 253_402_300_799L;

  private SourceDate() {}

  /**
   * @return ISO 8601 to the second, in UTC
   * @throws InputException if the variable is set and no count of seconds
   */
  public static String text() {
    return text(System.getenv(VARIABLE));
  }

  /**
   * @param seconds since 1970, or null for now
   */
  static String text(String seconds) {
    if (seconds == null) {
      return Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
    }
    if (!seconds.matches("\\d{1,12}") || Long.parseLong(seconds) > LAST) {
      throw new InputException(
          "%s: found %s, expected seconds since 1970, from 0 to %d"
              .formatted(VARIABLE, MessageText.quote(seconds), LAST));
    }
    return Instant.ofEpochSecond(Long.parseLong(seconds)).toString();
  }
}
