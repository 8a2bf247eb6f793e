package org.ivit.train.loop;

import org.ivit.core.dataset.PictureLoader;
import org.ivit.train.step.StepResult;

/** The steps of one epoch from some position on, wherever they are computed. */
interface EpochSteps extends AutoCloseable {
  /**
   * A step that has updated the network.
   *
   * @param result loss, norm, and what was seen
   * @param pictures of the step
   * @param position pictures of the epoch's order that are used up
   * @param work of the loader since the step before
   */
  record Taken(StepResult result, int pictures, int position, PictureLoader.Work work) {}

  /** Takes the next step; null where the epoch has no full batch left. */
  Taken next();

  @Override
  void close();
}
