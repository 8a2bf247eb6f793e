package org.ivit.train.monitor;

import java.nio.file.Path;
import org.ivit.train.loading.Loading;

/** Hears how a run goes on, and may ask it to stop. */
public interface TrainingMonitor {
  /** Hears nothing. */
  TrainingMonitor SILENT = new TrainingMonitor() {};

  /**
   * Whether the run should stop. It is asked for after each step and each part of what is between
   * steps; the run then keeps where it stands and throws {@link RunStoppedException}.
   */
  default boolean stopping() {
    return false;
  }

  /**
   * A part of calibration is done.
   *
   * @param stage what is under way, in words
   * @param done parts so far
   * @param total parts of calibration
   */
  default void calibrated(String stage, int done, int total) {}

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
   * Some pictures of a validation are done.
   *
   * @param done pictures so far
   * @param total pictures of the validation
   */
  default void validating(int done, int total) {}

  /**
   * A validation is done.
   *
   * @param epoch that has ended, from 0
   * @param right pictures answered right
   * @param pictures all pictures
   * @param loss mean cross entropy
   */
  default void validated(int epoch, int right, int pictures, double loss) {}

  /**
   * Features were compared with a teacher's.
   *
   * @param epoch from 0
   * @param cosine mean over the pictures
   */
  default void validatedFeatures(int epoch, int pictures, double cosine) {}

  /** Something that a user wants to know, in one line. */
  default void say(String line) {}

  /** A checkpoint is written; {@code metrics} is complete up to it. */
  default void saved(int step, Path metrics) {}
}
