package org.ivit.train.loop;

import java.util.ArrayList;
import java.util.List;
import org.ivit.core.dataset.PictureLoader;
import org.ivit.train.augment.PictureBatch;
import org.ivit.train.loading.EpochBatches;
import org.ivit.train.network.Teacher;
import org.ivit.train.step.MicroBatch;
import org.ivit.train.step.NetworkStep;
import org.ivit.train.step.StepResult;

/** Steps in this process, on pictures that are loaded in the background. */
final class LocalSteps implements EpochSteps {
  private final EpochBatches<?> batches;
  private final Teacher teacher;
  private final NetworkStep step;
  private final int accumulation;
  private PictureLoader.Work before = PictureLoader.Work.NONE;

  /** A batch that was asked for while the step before it ran. */
  private EpochBatches.Read ahead;

  /**
   * @param batches closed with this
   * @param teacher null without distillation
   * @param step takes the steps
   * @param accumulation most micro-batches a step
   */
  LocalSteps(EpochBatches<?> batches, Teacher teacher, NetworkStep step, int accumulation) {
    this.batches = batches;
    this.teacher = teacher;
    this.step = step;
    this.accumulation = accumulation;
  }

  @Override
  public Taken next() {
    List<MicroBatch> taken = new ArrayList<>();
    int pictures = 0;
    int position = 0;
    for (int i = 0; i < accumulation; i++) {
      EpochBatches.Read read = read();
      if (read == null) {
        break;
      }
      MicroBatch batch = read.batch();
      taken.add(teacher == null || step.teaches() ? batch : teacher.extend(batch));
      pictures += batch.pictures();
      position = read.position();
    }
    if (taken.isEmpty()) {
      return null;
    }
    StepResult result = step.run(taken, this::ahead);
    PictureLoader.Work now = batches.work();
    PictureLoader.Work work = now.since(before);
    before = now;
    return new Taken(result, pictures, position, work);
  }

  private EpochBatches.Read read() {
    EpochBatches.Read read = ahead;
    ahead = null;
    return read != null ? read : batches.next();
  }

  /** Reads the next batch where that takes no waiting, so that what is waited for is seen. */
  private PictureBatch ahead() {
    if (ahead == null && batches.ready()) {
      ahead = batches.next();
    }
    return ahead == null ? null : ahead.batch().images();
  }

  @Override
  public void close() {
    batches.close();
  }
}
