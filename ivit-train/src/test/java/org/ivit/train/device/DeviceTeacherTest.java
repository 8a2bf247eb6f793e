package org.ivit.train.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.cuda.EmulatedDevice;
import org.ivit.core.family.Swin;
import org.ivit.core.family.Vit;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.testing.InlineDescription;
import org.ivit.train.device.memory.DeviceBuffers;
import org.ivit.train.device.product.ProductPrecision;
import org.ivit.train.network.NetworkOptions;
import org.ivit.train.network.TransformerNetwork;
import org.ivit.train.step.TeacherModel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A teacher on emulated kernels beside Deeplearning4j's network. */
class DeviceTeacherTest {
  private static final WorkerPool POOL = new WorkerPool(2);
  private static final int PICTURES = 3;
  private static final double TEMPERATURE = 2;

  private final SplittableRandom random = new SplittableRandom(3);

  static Stream<Architecture> models() {
    return Stream.of(
        new Vit("vit", 12, 4, 18, 2, 2, 41, 5, 1e-6).architecture(),
        new Vit("distilled", 8, 4, 64, 2, 1, 128, 7, 1e-6, true).architecture(),
        new Swin("swin", 16, 2, 4, 8, List.of(2), List.of(2), 4, 1e-5).architecture());
  }

  private FloatWeights weights(TransformerNetwork network) {
    FloatWeights weights = network.weights();
    weights
        .values()
        .forEach(
            (name, values) -> {
              for (int i = 0; i < values.length; i++) {
                values[i] += 0.2f * (float) random.nextGaussian();
              }
            });
    network.load(weights);
    return weights;
  }

  private float[] numbers(int n) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static ByteBuffer bytes(float[] values) {
    ByteBuffer bytes = ByteBuffer.allocateDirect(4 * values.length).order(ByteOrder.nativeOrder());
    bytes.asFloatBuffer().put(values);
    return bytes;
  }

  @ParameterizedTest
  @MethodSource("models")
  void answersAsDeeplearning4jDoes(Architecture architecture) {
    TransformerNetwork network =
        TransformerNetwork.build(NetworkOptions.inference(architecture, null), POOL);
    TeacherModel model = new TeacherModel(architecture, weights(network));
    int classes = architecture.classes();
    float[] pixels = numbers(PICTURES * architecture.pixels());
    float[] targets = numbers(PICTURES * classes);
    EmulatedDevice device = new EmulatedDevice(3, 100_000);
    float[] found = new float[2 * targets.length];
    DeviceBuffers memory = new DeviceBuffers(device);
    try (memory;
        DeviceTeacher teacher =
            new DeviceTeacher(device, model, TEMPERATURE, ProductPrecision.FLOAT32, null)) {
      long x = memory.of("pixels", pixels.length, 4);
      long t = memory.of("targets", targets.length, 4);
      device.write(x, bytes(pixels));
      device.write(t, bytes(targets));
      ByteBuffer extended = bytes(found);
      device.read(extended, teacher.extend(x, t, PICTURES));
      extended.asFloatBuffer().get(found);
    }
    assertThat(device.live()).isZero();
    double[] logits = network.logits(pixels, PICTURES);
    for (int n = 0; n < PICTURES; n++) {
      double sum = 0;
      for (int c = 0; c < classes; c++) {
        sum += Math.exp(logits[n * classes + c] / TEMPERATURE);
      }
      for (int c = 0; c < classes; c++) {
        double expected = Math.exp(logits[n * classes + c] / TEMPERATURE) / sum;
        assertThat(found[2 * n * classes + c]).isEqualTo(targets[n * classes + c]);
        assertThat((double) found[(2 * n + 1) * classes + c]).isCloseTo(expected, within(2e-6));
      }
    }
  }

  @Test
  void answersWithFeatures() {
    Architecture architecture =
        InlineDescription.parse(
            "'kind': 'vit', 'image': [8, 12], 'patch': 4, 'dim': 18, 'depth': 2, 'heads': 2,"
                + " 'hidden': 41, 'classes': 0");
    TransformerNetwork network =
        TransformerNetwork.build(NetworkOptions.inference(architecture, null), POOL);
    TeacherModel model = new TeacherModel(architecture, weights(network));
    float[] pixels = numbers(PICTURES * architecture.pixels());
    EmulatedDevice device = new EmulatedDevice(2, 100_000);
    float[] found = new float[PICTURES * 18];
    DeviceBuffers memory = new DeviceBuffers(device);
    try (memory;
        DeviceTeacher teacher =
            new DeviceTeacher(device, model, 1, ProductPrecision.FLOAT32, null)) {
      long x = memory.of("pixels", pixels.length, 4);
      device.write(x, bytes(pixels));
      ByteBuffer answers = bytes(found);
      device.read(answers, teacher.answers(x, PICTURES));
      answers.asFloatBuffer().get(found);
    }
    double[] expected = network.logits(pixels, PICTURES);
    for (int i = 0; i < found.length; i++) {
      assertThat((double) found[i]).isCloseTo(expected[i], within(1e-5));
    }
  }

  @Test
  void namesAMissingWeight() {
    Architecture architecture = models().findFirst().orElseThrow();
    TransformerNetwork network =
        TransformerNetwork.build(NetworkOptions.inference(architecture, null), POOL);
    Map<String, float[]> values = new TreeMap<>(network.weights().values());
    values.remove("blocks.1.mlp.fc1.bias");
    TeacherModel model = new TeacherModel(architecture, new FloatWeights(values, Map.of()));
    assertThatThrownBy(
            () ->
                new DeviceTeacher(
                    new EmulatedDevice(1, 100_000), model, 1, ProductPrecision.FLOAT32, null))
        .isInstanceOf(InputException.class)
        .hasMessage("weights: found no blocks.1.mlp.fc1.bias");
  }
}
