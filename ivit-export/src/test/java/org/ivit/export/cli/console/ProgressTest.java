package org.ivit.export.cli.console;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ProgressTest {
  private static final long SECOND = 1_000_000_000L;

  private final AtomicLong clock = new AtomicLong(-5);
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  private Progress progress(long total) {
    PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
    return new Progress("diagnose", "steps", total, out, null, clock::get);
  }

  private List<String> lines() {
    return bytes.toString(StandardCharsets.UTF_8).lines().toList();
  }

  @Test
  void withoutATerminalALineEveryHalfMinute() {
    try (Progress progress = progress(5000)) {
      for (int i = 0; i < 100; i++) {
        clock.addAndGet(SECOND);
        progress.step(2);
      }
    }
    assertThat(lines())
        .containsExactly(
            "diagnose, 60 of 5000 steps: 0:41:10 left",
            "diagnose, 120 of 5000 steps: 0:40:40 left",
            "diagnose, 180 of 5000 steps: 0:40:10 left");
  }

  @Test
  void whatIsDoneSoonerSaysNothing() {
    try (Progress progress = progress(29)) {
      for (int i = 0; i < 29; i++) {
        clock.addAndGet(SECOND);
        progress.step(1);
      }
    }
    assertThat(lines()).isEmpty();
  }
}
