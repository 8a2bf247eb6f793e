package org.ivit.train.monitor;

import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.ivit.train.loading.Loading;

/**
 * Shows a run to a person: on a terminal a progress bar with loss, pictures a second and time left;
 * elsewhere a line now and then. Not thread-safe.
 */
public final class ConsoleMonitor implements TrainingMonitor, AutoCloseable {
  private static final long QUIET_NANOS = 30_000_000_000L;

  private final PrintStream out;
  private final LongSupplier nanos;
  private final TerminalBar bar;
  private final BooleanSupplier stopping;
  private long lastLine;
  private long firstNanos;
  private int firstStep = -1;
  private int bottleneckEpoch = -1;

  /** On the error stream; a terminal where the property {@code ivit.terminal} is true. */
  public static ConsoleMonitor standard() {
    return standard(() -> false);
  }

  /**
   * As {@link #standard()}, of a run that can be stopped.
   *
   * @param stopping whether the run should stop
   */
  public static ConsoleMonitor standard(BooleanSupplier stopping) {
    boolean terminal = Boolean.getBoolean("ivit.terminal");
    return new ConsoleMonitor(
        System.err, terminal ? TerminalBar.standard(false) : null, System::nanoTime, stopping);
  }

  /**
   * Shows a run elsewhere.
   *
   * @param out where to print
   * @param bar where a line can be overwritten there, else null
   * @param nanos a clock
   * @param stopping whether the run should stop
   */
  ConsoleMonitor(PrintStream out, TerminalBar bar, LongSupplier nanos, BooleanSupplier stopping) {
    this.out = out;
    this.bar = bar;
    this.nanos = nanos;
    this.stopping = stopping;
    this.lastLine = nanos.getAsLong() - QUIET_NANOS;
  }

  @Override
  public boolean stopping() {
    return stopping.getAsBoolean();
  }

  @Override
  public void calibrated(String stage, int done, int total) {
    show("calibration", "parts", done, total, stage);
    if (done == total) {
      close();
    }
  }

  @Override
  public void validating(int done, int total) {
    show("validation", "pictures", done, total);
  }

  @Override
  public void step(
      int step, int total, int epoch, double loss, double picturesPerSecond, Loading loading) {
    if (firstStep < 0) {
      firstStep = step;
      firstNanos = nanos.getAsLong();
    }
    String left =
        step == firstStep
            ? ""
            : ", "
                + clock((nanos.getAsLong() - firstNanos) / (step - firstStep) * (total - step))
                + " left";
    String lossText = String.format(Locale.ROOT, "loss %.4f", loss);
    String speed = String.format(Locale.ROOT, ", %.1f pictures/s", picturesPerSecond);
    show(
        "epoch " + (epoch + 1),
        "steps",
        step,
        total,
        lossText + speed + left + (loading.bottleneck() ? bottleneck(epoch, loading) : ""),
        lossText + speed + left,
        lossText + left,
        lossText);
  }

  /** A bar has little room, so the whole sentence is a line of its own there, once an epoch. */
  private String bottleneck(int epoch, Loading loading) {
    if (bar == null) {
      return "; " + loading;
    }
    if (bottleneckEpoch != epoch) {
      bottleneckEpoch = epoch;
      say("epoch " + (epoch + 1) + ": " + loading);
    }
    return ", loader-bound " + loading.percent();
  }

  private void show(String name, String unit, int done, int total, String... texts) {
    if (bar != null) {
      bar.show(name, unit, done, total, texts);
      return;
    }
    long now = nanos.getAsLong();
    if (now - lastLine >= QUIET_NANOS || (done == total && texts.length > 0)) {
      lastLine = now;
      out.println(
          name
              + ", "
              + done
              + " of "
              + total
              + " "
              + unit
              + (texts.length == 0 ? "" : ": " + texts[0]));
    }
  }

  @Override
  public void validated(int epoch, int right, int pictures, double loss) {
    say(
        String.format(
            Locale.ROOT,
            "validation after epoch %d: top-1 %d of %d (%.2f %%), loss %.4f",
            epoch + 1,
            right,
            pictures,
            pictures == 0 ? 0 : 100.0 * right / pictures,
            loss));
  }

  @Override
  public void validatedFeatures(int epoch, int pictures, double cosine) {
    say(
        String.format(
            Locale.ROOT,
            "validation after epoch %d: mean cosine %.6f to the teacher's features of %d pictures",
            epoch + 1,
            cosine,
            pictures));
  }

  @Override
  public void say(String line) {
    close();
    out.println(line);
  }

  @Override
  public void saved(int step, Path metrics) {
    out.flush();
  }

  /** Ends the bar; the next step begins another one. */
  @Override
  public void close() {
    if (bar != null) {
      bar.close();
    }
  }

  /**
   * Hours, minutes and seconds, as 1:02:03.
   *
   * @param nanos a duration; a negative one counts as none
   */
  public static String clock(long nanos) {
    long seconds = Math.max(0, nanos) / 1_000_000_000L;
    return String.format(
        Locale.ROOT, "%d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
  }
}
