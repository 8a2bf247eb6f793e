package org.ivit.train.step;

import java.util.List;
import java.util.function.Supplier;
import org.ivit.core.graph.FloatWeights;
import org.ivit.train.augment.PictureBatch;

/**
 * Takes steps of training. A network's parameters and updater state are those of the last step
 * after {@link #synchronise}.
 */
public interface NetworkStep extends AutoCloseable {
  /**
   * Runs a step. Where the loss or the gradient is not finite, nothing is updated. It does not move
   * ranges: what was seen is in the result.
   *
   * @param batches at least one
   */
  StepResult run(List<MicroBatch> batches);

  /**
   * As {@link #run(List)}; the pictures of the batch after these may be on their way meanwhile.
   *
   * @param next gives them where they are at hand, otherwise null; asked at most once
   */
  default StepResult run(List<MicroBatch> batches, Supplier<PictureBatch> next) {
    return run(batches);
  }

  /** Whether it normalises, erases and mixes pictures itself, so that bytes and plans suffice. */
  default boolean preparesPictures() {
    return false;
  }

  /** Returns in a few words on what it runs. */
  String description();

  /** Brings the network's parameters and updater state up to date. */
  void synchronise();

  /** Whether the step keeps the moving average of the parameters. */
  default boolean averages() {
    return false;
  }

  /** Whether the step asks the teacher itself, so that targets come without its answers. */
  default boolean teaches() {
    return false;
  }

  /**
   * The moving average of the parameters.
   *
   * @return null where the step does not keep one
   */
  FloatWeights average();

  @Override
  void close();
}
