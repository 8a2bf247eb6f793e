package org.ivit.train.device.integer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Block;
import org.ivit.core.arithmetic.LinearQuantizer;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.QuantizedChannels;
import org.ivit.core.arithmetic.QuantizedLinear;
import org.ivit.core.cuda.EmulatedDevice;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.weight.WeightCoding;
import org.ivit.train.device.memory.DeviceBuffers;
import org.ivit.train.device.pass.NodeLayout;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.device.product.ProductPrecision;
import org.ivit.train.memory.RealType;
import org.ivit.train.memory.Reals;
import org.ivit.train.parameter.GridForm;
import org.ivit.train.parameter.GridGradient;
import org.ivit.train.parameter.ParameterLayout;
import org.ivit.train.parameter.PartSpec;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Weights quantized onto grids, and gradients of grids, by emulated kernels: bit for bit those of
 * {@link LinearQuantizer} and {@link GridGradient}.
 */
class GridCodesTest {
  private static final int BEFORE = 3;
  private static final String KEY = "mlp.fc1";
  private static final WorkerPool POOL = new WorkerPool(2);

  @AfterAll
  static void closePool() {
    POOL.close();
  }

  static List<Arguments> cases() {
    int[][] sizes = {{1, 1}, {5, 31}, {33, 32}, {40, 100}, {9, 577}};
    List<Arguments> cases = new ArrayList<>();
    for (WeightCoding coding : WeightCoding.values()) {
      for (int bits = 2; bits <= 7; bits++) {
        int[] size = sizes[cases.size() % sizes.length];
        int group = coding == WeightCoding.GROUP ? new int[] {32, 7, 1000}[bits % 3] : 0;
        int shift = coding == WeightCoding.GROUP ? bits % 4 : 0;
        boolean learned = bits != 5;
        cases.add(
            Arguments.of(new GridForm(coding, bits, group, shift, learned), size[0], size[1]));
      }
    }
    return cases;
  }

  /** The first product of an MLP, whose parameters lie behind others. */
  private static final class Layer implements AutoCloseable {
    final int outputs;
    final int inputs;
    final ParameterLayout layout;
    final Reals weights;
    final Reals gradients;
    final Pass pass;
    final WeightCodes codes;
    private final EmulatedDevice device = new EmulatedDevice(2, 48_000);
    private final DeviceBuffers memory = new DeviceBuffers(device);

    Layer(GridForm form, int outputs, int inputs, OutlierChannels outliers) {
      this.outputs = outputs;
      this.inputs = inputs;
      Block block = new Block("block", inputs, 1, outputs, 4, null, 1e-6);
      PartSpec spec = new PartSpec(block, null, null, 0, 0, Map.of(KEY + ".weight", form));
      NodeLayout site = NodeLayout.quantized(spec, BEFORE);
      layout = site.layout();
      SplittableRandom random = new SplittableRandom(31L * inputs + outputs + form.hashCode());
      weights = numbers(random, BEFORE + layout.size());
      gradients = numbers(random, BEFORE + layout.size());
      points(random);
      pass =
          new Pass(
              device,
              memory.of("parameters", weights.size(), 4),
              memory.of("gradients", gradients.size(), 4),
              ProductPrecision.FLOAT32,
              null,
              false);
      codes = new WeightCodes(pass, site, KEY, inputs, outputs, outliers);
    }

    private static Reals numbers(SplittableRandom random, int size) {
      Reals numbers = Reals.allocate(RealType.FLOAT32, size);
      for (int i = 0; i < size; i++) {
        numbers.put(i, random.nextInt(9) == 0 ? 0 : random.nextGaussian());
      }
      return numbers;
    }

    /** Some that reach beyond all weights, some that do not, a few that are alike. */
    private void points(SplittableRandom random) {
      ParameterLayout.Entry points = layout.entry(KEY + ".weight_grid");
      for (int i = 0; i < points.size(); i++) {
        double reach = Math.scalb(1.0, random.nextInt(-9, 3));
        double point = random.nextInt(8) == 0 ? reach : reach * random.nextGaussian();
        weights.put(BEFORE + points.from() + i, point);
      }
    }

    float[] values(String name) {
      ParameterLayout.Entry entry = layout.entry(KEY + "." + name);
      float[] values = new float[entry.size()];
      weights.get(BEFORE + entry.from(), values, 0, values.length);
      return values;
    }

    QuantizedChannels quantize(float inputScale) {
      device.write(pass.parameters, bytes(weights));
      pass.grids.prepare(weights, POOL);
      codes.quantize(pass, weights, inputScale);
      pass.channels.receive();
      return codes.channels(pass);
    }

    private static ByteBuffer bytes(Reals numbers) {
      ByteBuffer bytes =
          ByteBuffer.allocateDirect(4 * numbers.size()).order(ByteOrder.nativeOrder());
      bytes.asFloatBuffer().put(numbers.floats());
      return bytes;
    }

    byte[] found() {
      ByteBuffer bytes = ByteBuffer.allocateDirect(outputs * inputs);
      device.read(bytes, codes.address());
      byte[] found = new byte[bytes.remaining()];
      bytes.get(found);
      return found;
    }

    /** All gradients after those of the grid were taken. */
    int[] gradients() {
      ByteBuffer bytes = bytes(gradients);
      device.write(pass.gradients, bytes.duplicate());
      pass.grids.gradients(pass);
      device.read(bytes, pass.gradients);
      int[] found = new int[gradients.size()];
      bytes.asIntBuffer().get(found);
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

  private static int[] bits(float[] values) {
    return java.util.stream.IntStream.range(0, values.length)
        .map(i -> Float.floatToRawIntBits(values[i]))
        .toArray();
  }

  /** What the processor makes of the weights of a layer. */
  private static QuantizedLinear expected(
      Layer layer, GridForm form, int outputs, int inputs, float inputScale) {
    GridForm.Rounded rounded = form.rounded(layer.values("weight_grid"), outputs, inputs);
    return LinearQuantizer.quantize(
        KEY,
        layer.values("weight"),
        layer.values("bias"),
        outputs,
        inputs,
        inputScale,
        rounded.scale(),
        rounded.grid());
  }

  @ParameterizedTest
  @MethodSource("cases")
  void quantizesAsTheProcessorDoes(GridForm form, int outputs, int inputs) {
    for (float inputScale : new float[] {0x1p-23f, 0.0371f}) {
      try (Layer layer = new Layer(form, outputs, inputs, OutlierChannels.NONE)) {
        QuantizedChannels found = layer.quantize(inputScale);
        QuantizedLinear expected = expected(layer, form, outputs, inputs, inputScale);
        assertThat(layer.found()).isEqualTo(expected.weight());
        assertThat(found.scale()).isEqualTo(expected.weightScale());
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void turnsGradientsAsTheProcessorDoes(GridForm form, int outputs, int inputs) {
    for (float inputScale : new float[] {0x1p-23f, 0.0371f}) {
      turnsGradients(form, outputs, inputs, inputScale);
    }
  }

  private static void turnsGradients(GridForm form, int outputs, int inputs, float inputScale) {
    try (Layer layer = new Layer(form, outputs, inputs, OutlierChannels.NONE)) {
      layer.quantize(inputScale);
      int[] found = layer.gradients();
      int size = layer.layout.size();
      Reals own = layer.gradients.part(BEFORE, size);
      int[] before = bits(own.floats());
      new GridGradient(
              layer.layout,
              KEY + ".weight",
              layer.weights.part(BEFORE, size),
              expected(layer, form, outputs, inputs, inputScale))
          .apply(own, POOL);
      int[] expected = bits(own.floats());
      assertThat(Arrays.copyOfRange(found, BEFORE, found.length)).isEqualTo(expected);
      assertThat(form.learned() && Arrays.equals(expected, before)).isFalse();
    }
  }

  @Test
  void namesAScaleThatIsNotPositive() {
    GridForm form = new GridForm(WeightCoding.UNIFORM, 4, 0, 0, true);
    try (Layer layer = new Layer(form, 3, 40, OutlierChannels.NONE)) {
      int at = BEFORE + layer.layout.from(KEY + ".weight_grid");
      layer.weights.put(at + 1, Double.NaN);
      assertThatThrownBy(() -> layer.quantize(1))
          .isInstanceOf(InputException.class)
          .hasMessage("block.mlp.fc1.weight_scale: element 1 is NaN, expected a positive value");
    }
  }
}
