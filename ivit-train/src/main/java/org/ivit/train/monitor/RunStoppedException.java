package org.ivit.train.monitor;

import java.nio.file.Path;
import org.ivit.core.ShellWord;

/**
 * A run that ended early because its {@linkplain TrainingMonitor#stopping monitor asked for it}.
 * The message says in a line what is kept and how to go on.
 */
public final class RunStoppedException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private RunStoppedException(String message) {
    super(message);
  }

  /** After a step that a checkpoint holds. */
  public static RunStoppedException after(int step, int total, Path run) {
    return new RunStoppedException(
        "stopped after step %d of %d; go on with: scripts/ivit train --resume %s"
            .formatted(step, total, ShellWord.of(run.toString())));
  }

  /** Before there was anything to keep. */
  public static RunStoppedException beforeTheFirstCheckpoint() {
    return new RunStoppedException(
        "stopped before the first checkpoint: nothing to go on with, start again");
  }
}
