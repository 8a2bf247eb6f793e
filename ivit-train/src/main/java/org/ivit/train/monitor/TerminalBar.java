package org.ivit.train.monitor;

import java.io.PrintStream;
import java.util.function.IntSupplier;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/**
 * A progress bar on a terminal, never wider than that, also after it was made narrower. Not
 * thread-safe.
 */
public final class TerminalBar implements AutoCloseable {
  private static final int DEFAULT_WIDTH = 80;
  private static final long REMEASURE_NANOS = 1_000_000_000L;

  /** Columns that are left to the bar itself before text is left out. */
  private static final int LEAST_BAR = 10;

  private final PrintStream out;
  private final IntSupplier width;
  private final boolean passing;
  private ProgressBar bar;
  private String task = "";

  /**
   * @param out the terminal
   * @param width its columns, asked for each time that it is written
   * @param passing whether a bar is wiped out at its end
   */
  TerminalBar(PrintStream out, IntSupplier width, boolean passing) {
    this.out = out;
    this.width = width;
    this.passing = passing;
  }

  /**
   * A bar on the error stream.
   *
   * @param passing whether it is wiped out at its end
   */
  public static TerminalBar standard(boolean passing) {
    return new TerminalBar(System.err, new Measured(System.err), passing);
  }

  /**
   * Shows how far something is; another task begins another bar.
   *
   * @param unit what is counted, such as {@code pictures}
   * @param texts what stands behind the bar, from the longest form to the shortest; the first that
   *     leaves room for a bar is taken, or none
   */
  public void show(String name, String unit, long done, long total, String... texts) {
    if (bar == null || !task.equals(name)) {
      close();
      bar = bar(name, unit, total);
      task = name;
    }
    bar.maxHint(total);
    bar.stepTo(done);
    bar.setExtraMessage(fitting(name, unit, total, texts));
  }

  private String fitting(String name, String unit, long total, String... texts) {
    int digits = Long.toString(total).length();
    String rest = name + " 100% [] / " + unit + " (0:00:00)  ";
    int room = width.getAsInt() - rest.length() - 2 * digits - LEAST_BAR;
    for (String text : texts) {
      if (text.length() <= room) {
        return " " + text;
      }
    }
    return "";
  }

  private ProgressBar bar(String name, String unit, long total) {
    return new ProgressBarBuilder()
        .setTaskName(name)
        .setInitialMax(total)
        .setUnit(" " + unit, 1)
        .setStyle(ProgressBarStyle.ASCII)
        .setUpdateIntervalMillis(200)
        .hideEta()
        .setConsumer(new Fitting(out, width))
        .build();
  }

  /** Ends the bar with a new line, or without a trace. */
  @Override
  public void close() {
    if (bar != null) {
      bar.close();
      bar = null;
      end();
    }
    task = "";
  }

  /** Here and not in the bar, which does not end itself when it is closed before its first line. */
  private void end() {
    if (passing) {
      out.print("\r" + " ".repeat(Math.max(1, width.getAsInt() - 1)) + "\r");
    } else {
      out.println();
    }
    out.flush();
  }

  /** Writes lines that end a column before the terminal does. */
  private static final class Fitting extends ConsoleProgressBarConsumer {
    private final IntSupplier width;

    Fitting(PrintStream out, IntSupplier width) {
      super(out);
      this.width = width;
    }

    @Override
    public int getMaxRenderedLength() {
      return Math.max(1, width.getAsInt() - 1);
    }

    /** {@link TerminalBar#end} does it. */
    @Override
    public void close() {}
  }

  /** The columns of this process's terminal, measured once a second, which starts a process. */
  private static final class Measured implements IntSupplier {
    private final ConsoleProgressBarConsumer terminal;
    private long measured;
    private int columns;

    Measured(PrintStream out) {
      terminal = new ConsoleProgressBarConsumer(out);
    }

    @Override
    public synchronized int getAsInt() {
      long now = System.nanoTime();
      if (columns == 0 || now - measured > REMEASURE_NANOS) {
        int found = terminal.getMaxRenderedLength() + 1;
        columns = found > 1 ? found : environment();
        measured = now;
      }
      return columns;
    }

    /** Where the terminal does not say it, as where the standard input is none. */
    private static int environment() {
      String text = System.getenv("COLUMNS");
      return text != null && text.matches("[1-9]\\d{0,3}") ? Integer.parseInt(text) : DEFAULT_WIDTH;
    }
  }
}
