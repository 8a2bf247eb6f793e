package org.ivit.train.loop;

import org.ivit.core.dataset.PictureLoader;
import org.ivit.train.distributed.GradientPart;
import org.ivit.train.distributed.GradientService;
import org.ivit.train.distributed.StepRequest;
import org.ivit.train.network.TrainingStep;
import org.ivit.train.network.TransformerNetwork;
import org.ivit.train.step.StepResult;

/** Steps whose gradients are computed elsewhere; the update is made here. */
final class DistributedSteps implements EpochSteps {
  private final GradientService service;
  private final TransformerNetwork network;
  private final TrainingStep step;
  private final Epoch epoch;
  private int position;

  /**
   * An epoch and where it goes on.
   *
   * @param number from 0
   * @param position pictures that are used up
   * @param pictures of the whole epoch
   * @param batchSize pictures of a micro-batch
   * @param accumulation most micro-batches a step
   * @param observed whether passes gather ranges
   */
  record Epoch(
      int number, int position, int pictures, int batchSize, int accumulation, boolean observed) {}

  DistributedSteps(
      GradientService service, TransformerNetwork network, TrainingStep step, Epoch epoch) {
    this.service = service;
    this.network = network;
    this.step = step;
    this.epoch = epoch;
    this.position = epoch.position;
  }

  @Override
  public Taken next() {
    int batches = Math.min(epoch.accumulation, (epoch.pictures - position) / epoch.batchSize);
    if (batches == 0) {
      return null;
    }
    GradientPart sum =
        service.gradients(
            network.parameterVector(),
            new StepRequest(epoch.number, position, batches, epoch.observed));
    network.gradientVector(sum.gradient());
    StepResult result = step.apply(sum.sums());
    position += batches * epoch.batchSize;
    return new Taken(result, sum.pictures(), position, PictureLoader.Work.NONE);
  }

  @Override
  public void close() {
    // The service stays for the next epoch.
  }
}
