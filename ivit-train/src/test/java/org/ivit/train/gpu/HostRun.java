package org.ivit.train.gpu;

import java.util.List;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.train.host.HostStep;
import org.ivit.train.memory.Reals;
import org.ivit.train.step.AdamSettings;
import org.ivit.train.step.MicroBatch;
import org.ivit.train.step.StepResult;
import org.ivit.train.step.StepVector;

/** Steps on the processor. */
final class HostRun extends StepRun {
  private final HostStep step;

  HostRun(TrainingCase start) {
    this(
        start,
        new HostStep(start.architecture(), start.scheme(), start.settings(), WorkerPool.shared()));
  }

  private HostRun(TrainingCase start, HostStep step) {
    super(start, step.parameters());
    this.step = step;
    write(StepVector.AVERAGE, read(StepVector.PARAMETERS));
  }

  @Override
  StepResult take(List<MicroBatch> batches, AdamSettings adam) {
    return step.run(batches, true, adam);
  }

  @Override
  float[] read(StepVector vector) {
    return step.vector(vector).floats();
  }

  @Override
  void write(StepVector vector, float[] values) {
    Reals memory = step.vector(vector);
    memory.put(0, values, 0, memory.size());
  }

  @Override
  public void close() {
    // Holds nothing.
  }
}
