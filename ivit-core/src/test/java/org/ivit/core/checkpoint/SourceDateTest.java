package org.ivit.core.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.Instant;
import org.ivit.core.InputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SourceDateTest {
  @ParameterizedTest
  @CsvSource({
    "0, 1970-01-01T00:00:00Z",
    "1700000000, 2023-11-14T22:13:20Z",
    "253402300799, 9999-12-31T23:59:59Z"
  })
  void countsSecondsSince1970(String seconds, String date) {
    assertThat(SourceDate.text(seconds)).isEqualTo(date);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", " ", "-1", "1.5", "yesterday", "1e9", "253402300800", "99999999999999"})
  void refusesAnythingElse(String seconds) {
    assertThatThrownBy(() -> SourceDate.text(seconds))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("SOURCE_DATE_EPOCH: found ")
        .hasMessageContaining("expected seconds since 1970");
  }

  @Test
  void withoutItNow() {
    Instant date = Instant.parse(SourceDate.text(null));
    assertThat(Duration.between(date, Instant.now()).abs()).isLessThan(Duration.ofHours(1));
  }
}
