package org.ivit.train.gpu;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.ivit.core.cuda.Device;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.train.device.DeviceOptions;
import org.ivit.train.device.DeviceStep;
import org.ivit.train.host.FlatParameters;
import org.ivit.train.step.AdamSettings;
import org.ivit.train.step.MicroBatch;
import org.ivit.train.step.StepResult;
import org.ivit.train.step.StepVector;

/** Steps on a device. */
final class DeviceRun extends StepRun {
  private final DeviceStep step;

  /**
   * @param start where it begins
   * @param device closed with this
   * @param way how to take steps
   */
  DeviceRun(TrainingCase start, Device device, DeviceWay way) {
    super(
        start, new FlatParameters(start.architecture(), start.scheme(), start.settings().grids()));
    step =
        new DeviceStep(
            device,
            start.architecture(),
            start.scheme(),
            start.settings(),
            new DeviceOptions(way.precision(), way.library(), way.recompute()),
            null,
            WorkerPool.shared());
    float[] all = parameters().vector().floats();
    write(StepVector.PARAMETERS, all);
    write(StepVector.AVERAGE, all);
  }

  @Override
  StepResult take(List<MicroBatch> batches, AdamSettings adam) {
    return step.run(parameters().vector(), batches, true, adam);
  }

  /** Parameters as the device has them, the ranges as the processor has. */
  @Override
  float[] read(StepVector vector) {
    ByteBuffer bytes = ByteBuffer.allocateDirect(4 * step.size()).order(ByteOrder.nativeOrder());
    step.read(vector, bytes, 0);
    float[] values = new float[step.size()];
    bytes.asFloatBuffer().get(values);
    if (vector != StepVector.PARAMETERS) {
      return values;
    }
    float[] all = parameters().vector().floats();
    for (int[] run : step.learned()) {
      System.arraycopy(values, run[0], all, run[0], run[1]);
    }
    return all;
  }

  @Override
  void write(StepVector vector, float[] values) {
    ByteBuffer bytes = ByteBuffer.allocateDirect(4 * values.length).order(ByteOrder.nativeOrder());
    bytes.asFloatBuffer().put(values);
    step.write(vector, bytes, 0);
    if (vector == StepVector.PARAMETERS) {
      parameters().vector().put(0, values, 0, values.length);
    }
  }

  /** In a few words, how reals are multiplied. */
  String products() {
    return step.products();
  }

  @Override
  public void close() {
    step.close();
  }
}
