package org.ivit.core.engine.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.ivit.core.arithmetic.DyadicVector;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.engine.reference.NodeKernels;
import org.ivit.core.engine.reference.ReferenceMatrixProducts;
import org.ivit.core.graph.Linear;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Linear layers by themselves: sizes around those of tiles, extreme codes, sets of every size. */
class LinearLayerTest {
  private static final int SHARED_BYTES = 64 * 1024;

  @ParameterizedTest(name = "{0} rows, {1} to {2}, {3} outliers, {4} multiprocessors")
  @CsvSource({
    "1, 1, 1, 0, 1",
    "129, 64, 130, 0, 1",
    "128, 65, 127, 3, 1",
    "65, 200, 65, 33, 9",
    "64, 63, 64, 63, 9",
    "33, 320, 31, 0, 1000",
    "31, 40, 33, 40, 1000",
    "70, 64, 70, 64, 1",
    "5, 300, 129, 32, 1000"
  })
  void equalsTheReference(int rows, int inputs, int outputs, int outliers, int multiprocessors) {
    long seed = rows + 31L * inputs;
    for (int least : new int[] {33, 9}) {
      Random random = new Random(seed + least);
      for (int bits : new int[] {8, 16, 32}) {
        Linear linear = linear(random, inputs, outputs, outliers, bits, least);
        byte[] x = new byte[rows * inputs];
        random.nextBytes(x);
        Arrays.fill(x, 0, Math.min(x.length, inputs), (byte) -128);
        compare(linear, x, rows, multiprocessors);
      }
    }
  }

  private static Linear linear(
      Random random, int inputs, int outputs, int outliers, int bits, int least) {
    byte[] weight = new byte[inputs * outputs];
    random.nextBytes(weight);
    Arrays.fill(weight, 0, inputs, (byte) -128);
    int[] bias = random.ints(outputs, -(1 << 20), 1 << 20).toArray();
    int[] multiplier = random.ints(outputs, 1 << 30, Integer.MAX_VALUE).toArray();
    byte[] shift = new byte[outputs];
    for (int c = 0; c < outputs; c++) {
      shift[c] = (byte) (Math.max(least, bits == 32 ? 31 : 0) + random.nextInt(20));
    }
    OutlierChannels set =
        outliers == 0
            ? OutlierChannels.NONE
            : new OutlierChannels(
                IntStream.range(0, inputs).skip((long) inputs - outliers).toArray(), 3);
    return new Linear(
        "fc", inputs, outputs, weight, bias, set, new DyadicVector(multiplier, shift), bits, 1f);
  }

  private static void compare(Linear linear, byte[] x, int rows, int multiprocessors) {
    int[] acc =
        new ReferenceMatrixProducts()
            .linear(
                x, rows, linear.weight(), linear.bias(), linear.inputs(), linear.inputOutliers());
    EmulatedDevice device = new EmulatedDevice(multiprocessors, SHARED_BYTES);
    try (Constants constants = new Constants(device)) {
      ChannelOrder order = new ChannelOrder(linear.inputs(), linear.inputOutliers());
      LinearLayer layer = LinearLayer.natural(constants, linear);
      long input = constants.bytes(arranged(x, rows, linear.inputs(), order));
      int outputs = linear.outputs();
      switch (linear.bits()) {
        case 8 -> {
          int stride = ChannelOrder.roundUp(outputs, 64);
          long out = constants.bytes(new byte[rows * stride]);
          device.launch(layer.codes(device, rows, input, out, stride, null));
          byte[] expected = NodeKernels.requantize8(linear, acc);
          ByteBuffer found = read(device, out, rows * stride);
          for (int i = 0; i < expected.length; i++) {
            assertThat(found.get(i / outputs * stride + i % outputs)).isEqualTo(expected[i]);
          }
        }
        case 16 -> {
          int stride = Stream.stride(outputs);
          long out = constants.shorts(new short[rows * stride]);
          device.launch(layer.stream(device, rows, input, out, stride, RowMap.same(1), null, 0, 0));
          short[] expected = NodeKernels.requantize16(linear, acc);
          ByteBuffer found = read(device, out, 2 * rows * stride);
          for (int i = 0; i < expected.length; i++) {
            assertThat(found.getShort(2 * (i / outputs * stride + i % outputs)))
                .isEqualTo(expected[i]);
          }
        }
        default -> {
          long out = constants.ints(new int[rows * outputs]);
          device.launch(layer.logits(device, rows, input, order.length(), out, false));
          int[] expected = NodeKernels.requantize32(linear, acc);
          ByteBuffer found = read(device, out, 4 * rows * outputs);
          int[] logits = new int[expected.length];
          found.asIntBuffer().get(logits);
          assertThat(logits).isEqualTo(expected);
        }
      }
    }
    assertThat(device.live()).isZero();
  }

  /** Rubbish in the padding must not matter. */
  private static byte[] arranged(byte[] x, int rows, int inputs, ChannelOrder order) {
    byte[] out = new byte[rows * order.length()];
    for (int i = 0; i < out.length; i++) {
      int channel = order.source()[i % order.length()];
      out[i] = channel < 0 ? 99 : x[i / order.length() * inputs + channel];
    }
    return out;
  }

  private static ByteBuffer read(EmulatedDevice device, long address, int bytes) {
    ByteBuffer buffer = ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN);
    device.read(buffer, address);
    return buffer;
  }
}
