package org.ivit.train.gpu;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.ivit.core.cuda.Device;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.train.device.AdamSettings;
import org.ivit.train.device.DeviceStep;
import org.ivit.train.device.DeviceStep.Vector;
import org.ivit.train.device.ProductPrecision;
import org.ivit.train.host.FlatParameters;
import org.ivit.train.operator.Reals;

/** Steps on a device. */
final class DeviceRun extends StepRun {
  private final DeviceStep step;

  /**
   * @param start where it begins
   * @param device closed with this
   * @param precision of the backward products
   */
  DeviceRun(TrainingCase start, Device device, ProductPrecision precision) {
    super(start, new FlatParameters(start.architecture(), start.scheme()));
    step =
        new DeviceStep(
            device,
            start.architecture(),
            start.scheme(),
            start.drop(),
            start.loss(),
            TrainingCase.AVERAGE,
            precision,
            WorkerPool.shared());
    float[] all = parameters().vector().floats();
    write(Vector.PARAMETERS, all);
    write(Vector.AVERAGE, all);
  }

  @Override
  DeviceStep.Result take(List<DeviceStep.Batch> batches, AdamSettings adam) {
    Reals memory = parameters().vector();
    DeviceStep.Result result = step.run(memory, batches, true, adam);
    for (int[] run : step.learned()) {
      float[] values = read(Vector.PARAMETERS, run[0], run[1]);
      memory.put(run[0], values, 0, values.length);
    }
    return result;
  }

  /** Parameters as the device has them, the ranges as the processor has. */
  @Override
  float[] read(Vector vector) {
    return vector == Vector.PARAMETERS
        ? parameters().vector().floats()
        : read(vector, 0, step.size());
  }

  private float[] read(Vector vector, int from, int count) {
    ByteBuffer bytes = ByteBuffer.allocateDirect(4 * count).order(ByteOrder.nativeOrder());
    step.read(vector, bytes, from);
    float[] values = new float[count];
    bytes.asFloatBuffer().get(values);
    return values;
  }

  @Override
  void write(Vector vector, float[] values) {
    ByteBuffer bytes = ByteBuffer.allocateDirect(4 * values.length).order(ByteOrder.nativeOrder());
    bytes.asFloatBuffer().put(values);
    step.write(vector, bytes, 0);
    if (vector == Vector.PARAMETERS) {
      parameters().vector().put(0, values, 0, values.length);
    }
  }

  @Override
  public void close() {
    step.close();
  }
}
