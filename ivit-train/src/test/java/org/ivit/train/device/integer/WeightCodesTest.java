package org.ivit.train.device.integer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.SplittableRandom;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Block;
import org.ivit.core.arithmetic.ChannelSums;
import org.ivit.core.arithmetic.LinearQuantizer;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.QuantizedChannels;
import org.ivit.core.arithmetic.QuantizedLinear;
import org.ivit.core.cuda.EmulatedDevice;
import org.ivit.train.device.memory.DeviceBuffers;
import org.ivit.train.device.pass.NodeLayout;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.device.product.ProductPrecision;
import org.ivit.train.memory.RealType;
import org.ivit.train.memory.Reals;
import org.ivit.train.parameter.ParameterKind;
import org.ivit.train.parameter.ParameterLayout;
import org.ivit.train.parameter.PartSpec;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Weights quantized by the emulated kernel, beside {@link LinearQuantizer}. */
class WeightCodesTest {
  private static final int BEFORE = 3;
  private static final String KEY = "fc";

  private static final PartSpec PART =
      new PartSpec(new Block("block", 2, 1, 2, 4, null, 1e-6), null);

  private final SplittableRandom random = new SplittableRandom(5);

  /** A layer whose parameters lie behind others. */
  private final class Layer implements AutoCloseable {
    final int outputs;
    final int inputs;
    final float[] weight;
    final float[] bias;
    final float[] frozen;
    final EmulatedDevice device = new EmulatedDevice(2, 48_000);
    final Reals weights;
    final Pass pass;
    final WeightCodes codes;
    private final DeviceBuffers memory = new DeviceBuffers(device);

    Layer(int outputs, int inputs, boolean biased, boolean isFrozen, OutlierChannels outliers) {
      this.outputs = outputs;
      this.inputs = inputs;
      ParameterLayout layout =
          new ParameterLayout().add(KEY + ".weight", ParameterKind.WEIGHT, outputs, inputs);
      if (biased) {
        layout.add(KEY + ".bias", ParameterKind.BIAS, outputs);
      }
      layout.add(KEY + ".weight_scale", ParameterKind.WEIGHT_SCALE, outputs);
      weight = weights(outputs, inputs);
      bias = biased ? biases(outputs) : null;
      frozen = isFrozen ? scales(outputs) : null;
      weights = Reals.allocate(RealType.FLOAT32, BEFORE + layout.size());
      put(layout, "weight", weight);
      put(layout, "bias", bias);
      put(layout, "weight_scale", frozen);
      long parameters = memory.of("parameters", weights.size(), 4);
      pass = new Pass(device, parameters, 0, ProductPrecision.FLOAT32, null, false);
      codes =
          new WeightCodes(
              pass, new NodeLayout(PART, layout, null, BEFORE), KEY, inputs, outputs, outliers);
    }

    private void put(ParameterLayout layout, String name, float[] values) {
      if (values != null) {
        weights.put(BEFORE + layout.from(KEY + "." + name), values, 0, values.length);
      }
    }

    QuantizedChannels run(float inputScale) {
      ByteBuffer bytes =
          ByteBuffer.allocateDirect(4 * weights.size()).order(ByteOrder.nativeOrder());
      bytes.asFloatBuffer().put(weights.floats());
      device.write(pass.parameters, bytes);
      codes.quantize(pass, weights, inputScale);
      pass.channels.receive();
      return codes.channels(pass);
    }

    byte[] found() {
      ByteBuffer bytes = ByteBuffer.allocateDirect(outputs * inputs);
      device.read(bytes, codes.address());
      byte[] found = new byte[bytes.remaining()];
      bytes.get(found);
      return found;
    }

    @Override
    public void close() {
      codes.close();
      pass.close();
      memory.close();
      assertThat(device.live()).isZero();
    }
  }

  /** Channels of many magnitudes; the first are zeros and a single spike. */
  private float[] weights(int outputs, int inputs) {
    float[] weight = new float[outputs * inputs];
    for (int c = 0; c < outputs; c++) {
      double scale = Math.scalb(1.0, random.nextInt(-30, 12));
      for (int k = 0; k < inputs; k++) {
        weight[c * inputs + k] =
            c == 0
                ? (k % 2 == 0 ? 0f : -0f)
                : c == 1 ? (k == inputs - 1 ? -3 : 0) : (float) (scale * random.nextGaussian());
      }
    }
    return weight;
  }

  /** Some of them so large that they raise a scale. */
  private float[] biases(int outputs) {
    float[] bias = new float[outputs];
    for (int c = 0; c < outputs; c++) {
      bias[c] = (float) Math.scalb(random.nextGaussian(), random.nextInt(-20, 24));
    }
    bias[0] = -1e6f;
    return bias;
  }

  /** Some of them so small that weights saturate. */
  private float[] scales(int outputs) {
    float[] scales = new float[outputs];
    for (int c = 0; c < outputs; c++) {
      scales[c] = (float) Math.scalb(random.nextDouble(0.5, 1), random.nextInt(-12, 4));
    }
    return scales;
  }

  @ParameterizedTest
  @CsvSource({
    "1, 1, true, false",
    "5, 31, true, false",
    "33, 32, false, false",
    "70, 100, true, true",
    "9, 577, false, true"
  })
  void quantizesAsTheProcessorDoes(int outputs, int inputs, boolean biased, boolean frozen) {
    OutlierChannels outliers =
        inputs == 1
            ? OutlierChannels.NONE
            : new OutlierChannels(new int[] {0, inputs / 2, inputs - 1}, 3);
    for (float inputScale : new float[] {0x1p-23f, 0.0371f, 12}) {
      try (Layer layer = new Layer(outputs, inputs, biased, frozen, outliers)) {
        QuantizedChannels found = layer.run(inputScale);
        QuantizedLinear expected =
            LinearQuantizer.quantize(
                KEY, layer.weight, layer.bias, outputs, inputs, inputScale, layer.frozen);
        ChannelSums sums = ChannelSums.of(expected.weight(), outputs, outliers);
        assertThat(layer.found()).isEqualTo(expected.weight());
        assertThat(found.scale()).isEqualTo(expected.weightScale());
        assertThat(found.sums().magnitude()).isEqualTo(sums.magnitude());
        assertThat(found.sums().outlierMagnitude()).isEqualTo(sums.outlierMagnitude());
        assertThat(found.sums().code()).isEqualTo(sums.code());
        assertThat(found.sums().outlierCode()).isEqualTo(sums.outlierCode());
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"NaN, 40", "Infinity, 1", "-Infinity, 83"})
  void namesTheFirstWeightThatIsNotFinite(float value, int element) {
    try (Layer layer = new Layer(3, 40, true, false, OutlierChannels.NONE)) {
      layer.weights.put(BEFORE + element, value);
      layer.weights.put(BEFORE + 119, value);
      assertThatThrownBy(() -> layer.run(1))
          .isInstanceOf(InputException.class)
          .hasMessage(
              "block.fc.weight: element " + element + " is " + value + ", expected a finite value");
    }
  }

  @ParameterizedTest
  @CsvSource({"-0.5", "Infinity", "NaN"})
  void namesAFrozenScaleThatIsNotPositive(float value) {
    try (Layer layer = new Layer(4, 7, false, true, OutlierChannels.NONE)) {
      layer.weights.put(BEFORE + 28 + 2, value);
      assertThatThrownBy(() -> layer.run(1))
          .isInstanceOf(InputException.class)
          .hasMessageContaining("block.fc.weight_scale: element 2 is ");
    }
  }
}
