package org.ivit.train.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.ivit.train.loading.Loading;
import org.junit.jupiter.api.Test;

class ConsoleMonitorTest {
  private static final long SECOND = 1_000_000_000L;

  private static final Loading SLOW = new Loading(0.618, 240.4, 16);

  private final AtomicLong clock = new AtomicLong(77);
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  private volatile int columns = 120;

  private PrintStream out() {
    return new PrintStream(bytes, true, StandardCharsets.UTF_8);
  }

  private ConsoleMonitor monitor(boolean terminal) {
    return new ConsoleMonitor(
        out(),
        terminal ? new TerminalBar(out(), () -> columns, false) : null,
        clock::get,
        () -> false);
  }

  private List<String> lines() {
    return bytes.toString(StandardCharsets.UTF_8).lines().toList();
  }

  @Test
  void withoutATerminalALineNowAndThen() {
    ConsoleMonitor monitor = monitor(false);
    monitor.calibrated("weights are rounded", 1, 2);
    monitor.calibrated("ranges are observed", 2, 2);
    for (int step = 11; step <= 110; step++) {
      clock.addAndGet(SECOND);
      monitor.step(step, 110, step / 60, 1.25, 64, step > 100 ? SLOW : Loading.NONE);
    }
    monitor.validated(1, 17, 20, 0.5);
    assertThat(lines())
        .containsExactly(
            "calibration, 1 of 2 parts: weights are rounded",
            "calibration, 2 of 2 parts: ranges are observed",
            "epoch 1, 40 of 110 steps: loss 1.2500, 64.0 pictures/s, 0:01:10 left",
            "epoch 2, 70 of 110 steps: loss 1.2500, 64.0 pictures/s, 0:00:40 left",
            "epoch 2, 100 of 110 steps: loss 1.2500, 64.0 pictures/s, 0:00:10 left",
            "epoch 2, 110 of 110 steps: loss 1.2500, 64.0 pictures/s, 0:00:00 left"
                + "; the loader is the bottleneck: 62 % of the time waits for pictures,"
                + " 240 pictures/s decoded on 16 threads",
            "validation after epoch 2: top-1 17 of 20 (85.00 %), loss 0.5000");
  }

  @Test
  void onATerminalABarWithLossAndTimeLeft() {
    ConsoleMonitor monitor = monitor(true);
    monitor.calibrated("ranges are observed", 1, 1);
    for (int step = 1; step <= 4; step++) {
      clock.addAndGet(SECOND);
      monitor.step(step, 4, 0, 0.75, 8, step < 2 ? Loading.NONE : SLOW);
    }
    monitor.validated(0, 1, 2, 1);
    monitor.say("done");
    monitor.close();
    String text = bytes.toString(StandardCharsets.UTF_8);
    assertThat(text)
        .contains("calibration", "epoch 1", "4/4 steps", "loss 0.7500, 8.0 pictures/s")
        .contains("0:00:00 left, loader-bound 62 %")
        .contains("top-1 1 of 2");
    assertThat(text.split("epoch 1: " + SLOW, -1)).as("said once").hasSize(2);
    assertThat(text.strip()).endsWith("done");
  }

  /** What was written between carriage returns and line ends. */
  private List<String> pieces() {
    return Arrays.stream(bytes.toString(StandardCharsets.UTF_8).split("[\\r\\n]+")).toList();
  }

  @Test
  void aBarIsNeverAsWideAsTheTerminalAlsoAfterItShrinks() throws InterruptedException {
    for (int width : new int[] {120, 100, 80, 60, 30, 8}) {
      bytes.reset();
      columns = width;
      ConsoleMonitor monitor = monitor(true);
      monitor.step(998, 1000, 0, 0.75, 64, Loading.NONE);
      clock.addAndGet(SECOND);
      monitor.step(999, 1000, 0, 0.75, 64, SLOW);
      monitor.close();
      assertThat(pieces())
          .filteredOn(piece -> !piece.contains(SLOW.toString()))
          .anyMatch(piece -> piece.startsWith("epoch"))
          .allSatisfy(piece -> assertThat(piece).hasSizeLessThan(width));
    }
    ConsoleMonitor monitor = monitor(true);
    columns = 100;
    monitor.step(1, 1000, 0, 0.75, 64, Loading.NONE);
    columns = 50;
    bytes.reset();
    monitor.step(2, 1000, 0, 0.75, 64, Loading.NONE);
    monitor.close();
    assertThat(pieces()).allSatisfy(piece -> assertThat(piece).hasSizeLessThan(50));
  }

  @Test
  void aPassingBarIsWipedOut() {
    try (TerminalBar bar = new TerminalBar(out(), () -> 60, true)) {
      bar.show("evaluate", "pictures", 1, 2, "0:00:01 left");
    }
    assertThat(bytes.toString(StandardCharsets.UTF_8)).contains("1/2 pictures").endsWith("\r");
    assertThat(pieces()).allSatisfy(piece -> assertThat(piece).hasSizeLessThan(60));
  }

  @Test
  void aNarrowTerminalKeepsWhatMattersMost() {
    columns = 80;
    ConsoleMonitor monitor = monitor(true);
    monitor.step(1, 1000, 0, 0.75, 64, Loading.NONE);
    clock.addAndGet(SECOND);
    monitor.step(2, 1000, 0, 0.5, 64, Loading.NONE);
    monitor.close();
    assertThat(pieces())
        .anySatisfy(
            piece ->
                assertThat(piece)
                    .contains("2/1000 steps", "loss 0.5000, 0:16:38 left")
                    .doesNotContain("pictures/s"));
  }

  @Test
  void clockCountsHours() {
    assertThat(ConsoleMonitor.clock(3723 * SECOND)).isEqualTo("1:02:03");
    assertThat(ConsoleMonitor.clock(-5)).isEqualTo("0:00:00");
    assertThat(ConsoleMonitor.clock(360_000 * SECOND)).isEqualTo("100:00:00");
  }
}
