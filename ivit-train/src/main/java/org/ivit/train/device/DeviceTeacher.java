package org.ivit.train.device;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.Structure;
import org.ivit.core.graph.FloatWeights;
import org.ivit.train.device.memory.DeviceBuffers;
import org.ivit.train.device.pass.DevicePart;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.device.product.ProductLibrary;
import org.ivit.train.device.product.ProductPrecision;
import org.ivit.train.parameter.ParameterLayout;
import org.ivit.train.step.TeacherModel;

/** A teacher on the device: a float network that runs forward alone. */
final class DeviceTeacher implements AutoCloseable {
  private final int classes;
  private final double temperature;
  private final DeviceBuffers memory;
  private final Pass pass;
  private final DeviceNetwork network;

  private static final class TeacherArguments extends Structure {
    private final Field<Long> logits = address();
    private final Field<Long> targets = address();
    private final Field<Long> to = address();
    private final Field<Double> temperature = float64();
    private final Field<Integer> pictures = int32();
    private final Field<Integer> classes = int32();
  }

  /**
   * @param model what it knows
   * @param temperature of its probabilities
   * @param precision of its products
   * @param library of its products; null for own kernels
   */
  DeviceTeacher(
      Device device,
      TeacherModel model,
      double temperature,
      ProductPrecision precision,
      ProductLibrary library) {
    this.temperature = temperature;
    classes = model.architecture().classes();
    memory = new DeviceBuffers(device);
    int size = DeviceNetwork.parameters(device, model.architecture(), null, Map.of());
    pass = new Pass(device, memory.of("parameters", size, 4), 0, precision, library, true);
    network = DeviceNetwork.of(pass, model.architecture(), null, 0, Map.of());
    write(model.weights());
  }

  private void write(FloatWeights weights) {
    int at = 0;
    for (DevicePart part : network.parts()) {
      for (ParameterLayout.Entry entry : part.layout().entries()) {
        float[] values = weights.get(part.prefix() + entry.key());
        ByteBuffer bytes =
            ByteBuffer.allocateDirect(4 * values.length).order(ByteOrder.nativeOrder());
        bytes.asFloatBuffer().put(values);
        pass.device.write(pass.parameters + 4L * (at + entry.from()), bytes);
      }
      at += part.layout().size();
    }
  }

  /**
   * What the teacher answers.
   *
   * @param pixels address, as the student sees them
   * @return address of float32, [pictures][classes] or [pictures][width of a feature]
   */
  long answers(long pixels, int pictures) {
    return network.forward(pass, pixels, pictures);
  }

  /**
   * Puts the teacher's probabilities behind the targets of each picture.
   *
   * @param pixels address, as the student sees them
   * @param targets address, [pictures][classes]
   * @return address of [pictures][2·classes]
   */
  long extend(long pixels, long targets, int pictures) {
    long logits = answers(pixels, pictures);
    long extended = memory.of("targets", 2L * pictures * classes, 4);
    TeacherArguments a = new TeacherArguments();
    a.logits.set(logits);
    a.targets.set(targets);
    a.to.set(extended);
    a.temperature.set(temperature);
    a.pictures.set(pictures);
    a.classes.set(classes);
    pass.warps("teacher_targets", pictures, a);
    return extended;
  }

  @Override
  public void close() {
    network.close();
    pass.close();
    memory.close();
  }
}
