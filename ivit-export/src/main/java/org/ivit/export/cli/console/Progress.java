package org.ivit.export.cli.console;

import java.io.PrintStream;
import java.util.function.LongSupplier;
import org.ivit.train.monitor.ConsoleMonitor;
import org.ivit.train.monitor.TerminalBar;

/**
 * Shows on the error stream how far something long is: a bar on a terminal ({@code scripts/ivit}
 * says by the property {@code ivit.terminal} that it is one), elsewhere a line every half minute,
 * and so none where it is done before.
 */
public final class Progress implements AutoCloseable {
  private static final long QUIET_NANOS = 30_000_000_000L;
  private static final long SECOND = 1_000_000_000L;

  private final String task;
  private final String unit;
  private final long total;
  private final PrintStream out;
  private final TerminalBar bar;
  private final LongSupplier nanos;
  private final long start;
  private long lastLine;
  private long done;

  /**
   * Shows it elsewhere.
   *
   * @param out where lines go
   * @param bar on a terminal, else null
   * @param nanos a clock
   */
  Progress(
      String task, String unit, long total, PrintStream out, TerminalBar bar, LongSupplier nanos) {
    this.task = task;
    this.unit = unit;
    this.total = total;
    this.out = out;
    this.bar = bar;
    this.nanos = nanos;
    this.start = nanos.getAsLong();
    this.lastLine = start;
    step(0);
  }

  /**
   * Begins.
   *
   * @param unit what is counted, such as {@code pictures}
   */
  public static Progress start(String task, String unit, long total) {
    TerminalBar bar = Boolean.getBoolean("ivit.terminal") ? TerminalBar.standard(true) : null;
    return new Progress(task, unit, total, System.err, bar, System::nanoTime);
  }

  /** So many more are done. */
  public synchronized void step(long count) {
    done += count;
    long now = nanos.getAsLong();
    if (bar != null) {
      bar.show(task, unit, done, total, left(now));
    } else if (now - lastLine >= QUIET_NANOS) {
      lastLine = now;
      out.println(task + ", " + done + " of " + total + " " + unit + ": " + left(now));
    }
  }

  /** The time that the rest takes, if it goes on as it did. */
  private String left(long now) {
    if (done == 0) {
      return "";
    }
    long seconds = Math.round((double) (now - start) / done * (total - done) / SECOND);
    return ConsoleMonitor.clock(seconds * SECOND) + " left";
  }

  @Override
  public synchronized void close() {
    if (bar != null) {
      bar.close();
    }
  }
}
