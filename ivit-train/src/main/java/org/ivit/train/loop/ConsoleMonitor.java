package org.ivit.train.loop;

import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.LongSupplier;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/**
 * Shows a run to a person: on a terminal a progress bar with loss, pictures a second and time left;
 * elsewhere a line now and then. Not thread-safe.
 */
public final class ConsoleMonitor implements TrainingMonitor, AutoCloseable {
  private static final long QUIET_NANOS = 30_000_000_000L;
  private static final int WIDTH = 110;

  private final PrintStream out;
  private final boolean terminal;
  private final LongSupplier nanos;
  private ProgressBar bar;
  private String task = "";
  private long lastLine;
  private long firstNanos;
  private int firstStep = -1;
  private int bottleneckEpoch = -1;

  /** On the error stream; a terminal where the property {@code ivit.terminal} is true. */
  public static ConsoleMonitor standard() {
    return new ConsoleMonitor(System.err, Boolean.getBoolean("ivit.terminal"), System::nanoTime);
  }

  /**
   * Shows a run elsewhere.
   *
   * @param out where to print
   * @param terminal whether a line can be overwritten there
   * @param nanos a clock
   */
  ConsoleMonitor(PrintStream out, boolean terminal, LongSupplier nanos) {
    this.out = out;
    this.terminal = terminal;
    this.nanos = nanos;
    this.lastLine = nanos.getAsLong() - QUIET_NANOS;
  }

  @Override
  public void calibrated(int done, int total) {
    show("calibration", "batches", done, total, "");
    if (done == total) {
      close();
    }
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
    String text =
        String.format(Locale.ROOT, "loss %.4f, %.1f pictures/s", loss, picturesPerSecond)
            + left
            + (loading.bottleneck() ? bottleneck(epoch, loading) : "");
    show("epoch " + (epoch + 1), "steps", step, total, text);
  }

  /** A bar has little room, so the whole sentence is a line of its own there, once an epoch. */
  private String bottleneck(int epoch, Loading loading) {
    if (!terminal) {
      return "; " + loading;
    }
    if (bottleneckEpoch != epoch) {
      bottleneckEpoch = epoch;
      say("epoch " + (epoch + 1) + ": " + loading);
    }
    return ", loader-bound " + loading.percent();
  }

  private void show(String name, String unit, int done, int total, String text) {
    if (terminal) {
      if (!task.equals(name)) {
        close();
        bar = bar(name, unit, total);
        task = name;
      }
      bar.maxHint(total);
      bar.stepTo(done);
      bar.setExtraMessage(text.isEmpty() ? "" : " " + text);
      return;
    }
    long now = nanos.getAsLong();
    if (now - lastLine >= QUIET_NANOS || done == total) {
      lastLine = now;
      out.println(
          name + ", " + done + " of " + total + " " + unit + (text.isEmpty() ? "" : ": " + text));
    }
  }

  private ProgressBar bar(String name, String unit, int total) {
    return new ProgressBarBuilder()
        .setTaskName(name)
        .setInitialMax(total)
        .setUnit(" " + unit, 1)
        .setStyle(ProgressBarStyle.ASCII)
        .setUpdateIntervalMillis(200)
        .hideEta()
        .setMaxRenderedLength(WIDTH)
        .setConsumer(new ConsoleProgressBarConsumer(out, WIDTH))
        .build();
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
      bar = null;
    }
    task = "";
  }

  /** Hours, minutes and seconds, as 1:02:03. */
  static String clock(long nanos) {
    long seconds = Math.max(0, nanos) / 1_000_000_000L;
    return String.format(
        Locale.ROOT, "%d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
  }
}
