package org.ivit.export.cli.console;

import java.io.PrintWriter;
import java.util.concurrent.CountDownLatch;
import org.jline.utils.Signals;

/**
 * Lets a long command end in order when the system asks it to, by Ctrl-C or {@code kill}: the first
 * such signal is remembered, the second ends the process at once. Signals that the process was
 * started to ignore stay ignored.
 */
public final class StopSignals implements AutoCloseable {
  private static final String INTERRUPT = "INT";
  private static final String TERMINATE = "TERM";

  /** Codes of processes that a signal ended, as shells count them. */
  private static final int INTERRUPTED = 128 + 2;

  private static final int TERMINATED = 128 + 15;

  private final PrintWriter err;
  private final String message;
  private final CountDownLatch first = new CountDownLatch(1);
  private final Object interrupt;
  private final Object terminate;
  private volatile int code;

  private StopSignals(PrintWriter err, String message) {
    this.err = err;
    this.message = message;
    this.interrupt = Signals.register(INTERRUPT, () -> asked(INTERRUPTED));
    this.terminate = Signals.register(TERMINATE, () -> asked(TERMINATED));
  }

  /**
   * Begins to listen for a command that works in steps.
   *
   * @param err hears of the first signal
   */
  public static StopSignals listen(PrintWriter err) {
    return listen(err, "stopping after the step that is under way");
  }

  /**
   * Begins to listen.
   *
   * @param err hears of the first signal
   * @param message what the command then does
   */
  public static StopSignals listen(PrintWriter err, String message) {
    return new StopSignals(err, message);
  }

  private void asked(int by) {
    if (code != 0) {
      Runtime.getRuntime().halt(by);
    }
    code = by;
    // A bar is on the line of the cursor.
    err.println(
        (Boolean.getBoolean("ivit.terminal") ? System.lineSeparator() : "")
            + "ivit: "
            + message
            + "; once more stops at once");
    err.flush();
    first.countDown();
  }

  /** Waits for the first signal. */
  public void await() throws InterruptedException {
    first.await();
  }

  /** Whether there was a signal. */
  public boolean asked() {
    return code != 0;
  }

  /** The exit code of a process that the signal ended; 0 before there was one. */
  public int code() {
    return code;
  }

  @Override
  public void close() {
    Signals.unregister(INTERRUPT, interrupt);
    Signals.unregister(TERMINATE, terminate);
  }
}
