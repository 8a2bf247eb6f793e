package org.ivit.train.loop;

import java.nio.file.Path;

/** Hears how a run goes on. */
public interface TrainingMonitor {
  /** Hears nothing. */
  TrainingMonitor SILENT = new TrainingMonitor() {};

  /**
   * A batch of calibration is done.
   *
   * @param done batches so far
   * @param total batches of calibration
   */
  default void calibrated(int done, int total) {}

  /**
   * A step is done.
   *
   * @param step updates so far
   * @param total updates of the run
   * @param epoch the current one, from 0
   * @param loss of the step
   * @param picturesPerSecond over the last steps
   * @param loading how the loader kept up with them
   */
  default void step(
      int step, int total, int epoch, double loss, double picturesPerSecond, Loading loading) {}

  /**
   * A validation is done.
   *
   * @param epoch that has ended, from 0
   * @param right pictures answered right
   * @param pictures all pictures
   * @param loss mean cross entropy
   */
  default void validated(int epoch, int right, int pictures, double loss) {}

  /** Something that a user wants to know, in one line. */
  default void say(String line) {}

  /** A checkpoint is written; {@code metrics} is complete up to it. */
  default void saved(int step, Path metrics) {}
}
