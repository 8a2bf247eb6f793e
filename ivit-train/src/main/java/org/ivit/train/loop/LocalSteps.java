package org.ivit.train.loop;

import java.util.ArrayList;
import java.util.List;
import org.ivit.train.network.MicroBatch;
import org.ivit.train.network.NetworkStep;
import org.ivit.train.network.TrainingStep;

/** Steps in this process, on pictures that are loaded in the background. */
final class LocalSteps implements EpochSteps {
  private final EpochBatches batches;
  private final Teacher teacher;
  private final NetworkStep step;
  private final int accumulation;

  /**
   * @param batches closed with this
   * @param teacher null without distillation
   * @param step takes the steps
   * @param accumulation most micro-batches a step
   */
  LocalSteps(EpochBatches batches, Teacher teacher, NetworkStep step, int accumulation) {
    this.batches = batches;
    this.teacher = teacher;
    this.step = step;
    this.accumulation = accumulation;
  }

  @Override
  public Taken next() {
    List<MicroBatch> taken = new ArrayList<>();
    int pictures = 0;
    for (int i = 0; i < accumulation; i++) {
      MicroBatch batch = batches.next();
      if (batch == null) {
        break;
      }
      taken.add(teacher == null || step.teaches() ? batch : teacher.extend(batch));
      pictures += batch.pictures();
    }
    if (taken.isEmpty()) {
      return null;
    }
    TrainingStep.Result result = step.run(taken);
    return new Taken(result, pictures, batches.position(), batches.takeWaitedNanos());
  }

  @Override
  public void close() {
    batches.close();
  }
}
