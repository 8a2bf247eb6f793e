package org.ivit.train.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import org.ivit.core.cuda.EmulatedDevice;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.tensor.TensorFile;
import org.ivit.core.testing.GoldenModel;
import org.ivit.train.device.memory.DeviceBuffers;
import org.ivit.train.device.pass.DevicePart;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.device.product.ProductPrecision;
import org.ivit.train.memory.RealType;
import org.ivit.train.memory.Reals;
import org.ivit.train.nd4j.NdMemory;
import org.ivit.train.network.NetworkOptions;
import org.ivit.train.network.TransformerNetwork;
import org.ivit.train.operator.CrossEntropy;
import org.ivit.train.parameter.ParameterLayout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** Whole micro models on emulated kernels against golden logits and gradients. */
class DeviceGoldenTest {
  @SuppressWarnings("unused")
  static final List<String> MODELS = GoldenModel.NAMES;

  private static final WorkerPool POOL = new WorkerPool(2);
  private static final double LABEL_SMOOTHING = 0.1;

  /** A golden model on the device, ranges frozen. */
  private static final class Fixture implements AutoCloseable {
    final GoldenModel model;
    final int pictures;
    final int classes;
    final Reals weights;
    private final EmulatedDevice device = new EmulatedDevice(2, 200_000);
    private final DeviceBuffers memory = new DeviceBuffers(device);
    private final Pass pass;
    private final DeviceNetwork network;

    Fixture(GoldenModel model, boolean recompute) {
      this.model = model;
      pictures = model.pictures();
      classes = model.architecture().classes();
      TransformerNetwork built =
          TransformerNetwork.build(
              NetworkOptions.inference(model.architecture(), model.scheme()), POOL);
      built.load(model.weights());
      built.ranges(model.ranges());
      weights = Reals.of(RealType.FLOAT32, NdMemory.read(built.graph().params()).doubles());
      int size = weights.size();
      pass =
          new Pass(
              device,
              memory.of("parameters", size, 4),
              memory.of("gradients", size, 4),
              ProductPrecision.FLOAT32,
              null,
              recompute);
      network = DeviceNetwork.of(pass, model.architecture(), model.scheme(), 0, Map.of());
      device.write(pass.parameters, bytes(weights.floats()));
      pass.clear(pass.gradients, size);
    }

    int[] logits(boolean observe) {
      pass.beginStep(observe);
      network.prepare(pass, weights, POOL);
      pass.beginBatch(new long[pictures], false);
      network.draw(pass);
      int pixels = pass.inputs.floats(model.evalPixels());
      pass.inputs.send();
      long logits = network.forward(pass, pass.inputs.at(pixels), pictures);
      int[] codes = new int[pictures * classes];
      read(codes.length, logits).asIntBuffer().get(codes);
      return codes;
    }

    float[] gradients(float[] byLogits) {
      long gradient = memory.of("gLogits", byLogits.length, 4);
      device.write(gradient, bytes(byLogits));
      network.backward(pass, gradient, pictures);
      float[] found = new float[weights.size()];
      read(found.length, pass.gradients).asFloatBuffer().get(found);
      return found;
    }

    private ByteBuffer read(int words, long from) {
      ByteBuffer bytes = ByteBuffer.allocateDirect(4 * words).order(ByteOrder.nativeOrder());
      device.read(bytes, from);
      return bytes;
    }

    private static ByteBuffer bytes(float[] values) {
      ByteBuffer bytes =
          ByteBuffer.allocateDirect(4 * values.length).order(ByteOrder.nativeOrder());
      bytes.asFloatBuffer().put(values);
      return bytes;
    }

    @Override
    public void close() {
      network.close();
      pass.close();
      memory.close();
      assertThat(device.live()).isZero();
    }
  }

  @ParameterizedTest
  @FieldSource("MODELS")
  void computesTheGoldenIntegersAndGradients(String name) {
    GoldenModel model = new GoldenModel(name);
    try (Fixture fixture = new Fixture(model, name.endsWith("exact"))) {
      int[] golden = model.file("trace").get("head").ints();
      assertThat(fixture.logits(true)).as("while ranges move").isEqualTo(golden);
      assertThat(fixture.logits(false)).isEqualTo(golden);
      assertThat(fixture.network.logitScale())
          .isEqualTo(model.file("trace").get("scale/head").floats()[0]);
      check(fixture, fixture.gradients(byLogits(fixture, golden)));
    }
  }

  /** The gradient of the golden loss: labels smoothed, mean over the pictures. */
  private static float[] byLogits(Fixture fixture, int[] logits) {
    long[] labels = fixture.model.file("calibration").get("labels").longs();
    int classes = fixture.classes;
    float[] gradient = new float[logits.length];
    for (int n = 0; n < fixture.pictures; n++) {
      double[] row = new double[classes];
      double[] targets = new double[classes];
      double[] g = new double[classes];
      for (int c = 0; c < classes; c++) {
        row[c] = logits[n * classes + c] * (double) fixture.network.logitScale();
        targets[c] = LABEL_SMOOTHING / classes + (labels[n] == c ? 1 - LABEL_SMOOTHING : 0);
      }
      new CrossEntropy(0, 1).row(row, targets, g);
      for (int c = 0; c < classes; c++) {
        gradient[n * classes + c] = (float) (g[c] / fixture.pictures);
      }
    }
    return gradient;
  }

  private static void check(Fixture fixture, float[] found) {
    TensorFile golden = fixture.model.file("gradients");
    int compared = 0;
    int at = 0;
    for (DevicePart part : fixture.network.parts()) {
      for (ParameterLayout.Entry entry : part.layout().entries()) {
        if (entry.kind().learned()) {
          String name = part.prefix() + entry.key();
          check(name, found, at + entry.from(), golden.get("grad/" + name).doubles());
          compared++;
        }
      }
      at += part.layout().size();
    }
    assertThat(compared).isEqualTo(fixture.model.architecture().parameters().size());
  }

  private static void check(String name, float[] found, int from, double[] expected) {
    double largest = 0;
    for (double value : expected) {
      largest = Math.max(largest, Math.abs(value));
    }
    assertThat(largest).as(name).isPositive();
    for (int i = 0; i < expected.length; i++) {
      assertThat(Math.abs(found[from + i] - expected[i]))
          .as("%s[%s]: found %s, expected %s", name, i, found[from + i], expected[i])
          .isLessThanOrEqualTo(1e-5 * largest);
    }
  }
}
