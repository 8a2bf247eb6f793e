package org.ivit.train.gpu;

import java.util.List;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.train.device.DeviceStep;
import org.ivit.train.device.DeviceStep.Vector;
import org.ivit.train.host.HostStep;
import org.ivit.train.memory.Reals;
import org.ivit.train.step.AdamSettings;

/** Steps on the processor. */
final class HostRun extends StepRun {
  private final HostStep step;

  HostRun(TrainingCase start) {
    this(
        start,
        new HostStep(
            start.architecture(),
            start.scheme(),
            start.drop(),
            start.loss(),
            TrainingCase.AVERAGE,
            WorkerPool.shared()));
  }

  private HostRun(TrainingCase start, HostStep step) {
    super(start, step.parameters());
    this.step = step;
    write(Vector.AVERAGE, read(Vector.PARAMETERS));
  }

  @Override
  DeviceStep.Result take(List<DeviceStep.Batch> batches, AdamSettings adam) {
    return step.run(batches, true, adam);
  }

  @Override
  float[] read(Vector vector) {
    return step.vector(vector).floats();
  }

  @Override
  void write(Vector vector, float[] values) {
    Reals memory = step.vector(vector);
    memory.put(0, values, 0, memory.size());
  }

  @Override
  public void close() {
    // Holds nothing.
  }
}
