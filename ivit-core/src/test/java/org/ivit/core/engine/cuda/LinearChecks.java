package org.ivit.core.engine.cuda;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.ivit.core.arithmetic.DyadicVector;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.Launch;
import org.ivit.core.cuda.Transfers;
import org.ivit.core.engine.cuda.layer.ChannelOrder;
import org.ivit.core.engine.cuda.layer.Constants;
import org.ivit.core.engine.cuda.layer.LinearLayer;
import org.ivit.core.engine.cuda.layer.RowMap;
import org.ivit.core.engine.cuda.layer.StreamLayout;
import org.ivit.core.engine.reference.NodeKernels;
import org.ivit.core.engine.reference.ReferenceMatrixProducts;
import org.ivit.core.graph.Linear;
import org.ivit.core.testing.RandomGrids;
import org.ivit.core.weight.GroupGrid;
import org.ivit.core.weight.PackedBits;
import org.ivit.core.weight.UniformGrid;
import org.ivit.core.weight.WeightCodes;
import org.ivit.core.weight.WeightGrid;

/** Linear layers by themselves against the reference, on an emulator and on a GPU. */
final class LinearChecks {
  /**
   * A layer and its input.
   *
   * @param rows of the input
   * @param inputs channels
   * @param outputs channels
   * @param outliers among the input channels
   */
  record Size(int rows, int inputs, int outputs, int outliers) {}

  static final List<Size> SIZES =
      List.of(
          new Size(1, 1, 1, 0),
          new Size(129, 64, 130, 0),
          new Size(128, 65, 127, 3),
          new Size(65, 200, 65, 33),
          new Size(64, 63, 64, 63),
          new Size(33, 320, 31, 0),
          new Size(31, 40, 33, 40),
          new Size(70, 64, 70, 64),
          new Size(5, 300, 129, 32),
          new Size(5, 513, 33, 0),
          new Size(3, 600, 40, 300),
          new Size(2, 576, 20, 576),
          new Size(33, 580, 34, 40),
          new Size(LinearLayer.MOST_ROWS_OF_INDICES + 1, 70, 33, 5));

  /** Sizes around those of clusters: tiles of 256 by 256, stages of 128. */
  static final List<Size> OF_CLUSTERS =
      List.of(
          new Size(257, 768, 385, 0),
          new Size(640, 190, 513, 33),
          new Size(130, 1100, 260, 130),
          new Size(256, 128, 256, 128));

  private LinearChecks() {}

  /**
   * Returns how many outputs of 8, 16 and 32 bits differ, with and without small shifts, and of
   * weights of every coding.
   */
  static int differences(Device device, Size size) {
    return ofFewerBits(device, size) + differencesOfCodes(device, size);
  }

  /** The same of weights of 8 bits alone. */
  static int differencesOfCodes(Device device, Size size) {
    int differences = 0;
    for (int least : new int[] {33, 9, 1}) {
      Random random = new Random(size.hashCode() + least);
      for (int bits : new int[] {8, 16, 32}) {
        byte[] weight = new byte[size.inputs * size.outputs];
        random.nextBytes(weight);
        Arrays.fill(weight, 0, size.inputs, (byte) -128);
        Linear linear = linear(random, size, WeightCodes.of(weight, size.outputs), bits, least);
        differences += differences(device, linear, inputs(random, size), size.rows);
      }
    }
    return differences;
  }

  /** Weights of each coding and width, and of such that no kernel decodes. */
  private static int ofFewerBits(Device device, Size size) {
    Random random = new Random(size.hashCode());
    List<WeightGrid> grids =
        List.of(
            RandomGrids.table(random, 2, size.outputs),
            RandomGrids.table(random, 4, size.outputs),
            RandomGrids.table(random, 5, size.outputs),
            group(random, 3, 16, 7, size),
            group(random, 4, 32, 0, size),
            group(random, 4, 24, 0, size),
            group(random, 5, 64, 2, size),
            group(random, 6, 32, 3, size),
            group(random, 7, 32, 5, size),
            new UniformGrid(4),
            new UniformGrid(6));
    int differences = 0;
    int[] bits = {8, 16, 32};
    for (int i = 0; i < grids.size(); i++) {
      WeightGrid grid = grids.get(i);
      byte[] indices = new byte[size.inputs * size.outputs];
      random.nextBytes(indices);
      for (int k = 0; k < indices.length; k++) {
        indices[k] &= (byte) ((1 << grid.bits()) - 1);
      }
      byte[] packed = PackedBits.pack(indices, size.inputs, grid.bits());
      WeightCodes codes = new WeightCodes(size.outputs, size.inputs, grid, packed);
      Linear linear = linear(random, size, codes, bits[i % bits.length], 9);
      differences += differences(device, linear, inputs(random, size), size.rows);
    }
    return differences;
  }

  private static GroupGrid group(Random random, int bits, int group, int shift, Size size) {
    byte[] multiplier = new byte[size.outputs * GroupGrid.groups(size.inputs, group)];
    for (int i = 0; i < multiplier.length; i++) {
      multiplier[i] = (byte) (1 + random.nextInt(GroupGrid.most(bits, shift)));
    }
    multiplier[0] = (byte) GroupGrid.most(bits, shift);
    return new GroupGrid(bits, size.inputs, group, shift, multiplier);
  }

  /** A layer of zeros to 8 bits. */
  static Linear ofZeros(int inputs, int outputs) {
    Size size = new Size(1, inputs, outputs, 0);
    WeightCodes codes = WeightCodes.of(new byte[inputs * outputs], outputs);
    return linear(new Random(0), size, codes, 8, 33);
  }

  private static byte[] inputs(Random random, Size size) {
    return inputs(random, size.rows * size.inputs, size.inputs);
  }

  /** Random codes whose first ones are extreme. */
  static byte[] inputs(Random random, int count, int extreme) {
    byte[] x = new byte[count];
    random.nextBytes(x);
    Arrays.fill(x, 0, Math.min(count, extreme), (byte) -128);
    return x;
  }

  static Linear linear(Random random, Size size, WeightCodes codes, int bits, int least) {
    int inputs = size.inputs;
    int outputs = size.outputs;
    int outliers = size.outliers;
    int[] bias = random.ints(outputs, -(1 << 20), 1 << 20).toArray();
    int[] multiplier = random.ints(outputs, 1 << 30, Integer.MAX_VALUE).toArray();
    byte[] shift = new byte[outputs];
    for (int c = 0; c < outputs; c++) {
      shift[c] = (byte) (Math.max(least, bits == 32 ? 31 : 0) + random.nextInt(20));
      if (shift[c] == 1 && c % 2 == 1) {
        // Ratios that only a file may have.
        multiplier[c] = random.nextInt(4);
      }
    }
    OutlierChannels set =
        outliers == 0
            ? OutlierChannels.NONE
            : new OutlierChannels(
                IntStream.range(0, inputs).skip((long) inputs - outliers).toArray(), 3);
    return new Linear(
        "fc", inputs, outputs, codes, bias, set, new DyadicVector(multiplier, shift), bits, 1f);
  }

  private static int differences(Device device, Linear linear, byte[] x, int rows) {
    int[] acc =
        new ReferenceMatrixProducts()
            .linear(
                x, rows, linear.weight(), linear.bias(), linear.inputs(), linear.inputOutliers());
    int outputs = linear.outputs();
    try (Constants constants = new Constants(device)) {
      ChannelOrder order = new ChannelOrder(linear.inputs(), linear.inputOutliers());
      LinearLayer layer = LinearLayer.natural(constants, linear);
      byte[] codes = arranged(x, rows, linear.inputs(), order);
      long input = constants.bytes(new byte[codes.length]);
      int stride =
          linear.bits() == 8
              ? ChannelOrder.roundUp(outputs, 64)
              : linear.bits() == 16 ? StreamLayout.stride(outputs) : outputs;
      int words = rows * stride * linear.bits() / 32;
      long out = constants.ints(new int[words]);
      Launch launch =
          switch (linear.bits()) {
            case 8 -> layer.codes(device, rows, input, out, stride, null);
            case 16 -> layer.stream(device, rows, input, out, stride, RowMap.same(1), null, 0, 0);
            default -> layer.logits(device, rows, input, order.length(), out, false);
          };
      int[] found = new int[words];
      Transfers transfers = new Transfers(input, codes.length, out, words);
      try (Device.Pass pass = device.record(List.of(launch), transfers)) {
        pass.run(codes, 0, found, 0);
      }
      int[] expected = expected(linear, acc);
      int differences = 0;
      for (int i = 0; i < expected.length; i++) {
        int at = i / outputs * stride + i % outputs;
        differences += expected[i] == element(found, linear.bits(), at) ? 0 : 1;
      }
      return differences;
    }
  }

  private static int[] expected(Linear linear, int[] acc) {
    int[] expected = new int[acc.length];
    switch (linear.bits()) {
      case 8 -> {
        byte[] codes = NodeKernels.requantize8(linear, acc);
        Arrays.setAll(expected, i -> codes[i]);
      }
      case 16 -> {
        short[] codes = NodeKernels.requantize16(linear, acc);
        Arrays.setAll(expected, i -> codes[i]);
      }
      default -> {
        return NodeKernels.requantize32(linear, acc);
      }
    }
    return expected;
  }

  static int element(int[] words, int bits, int at) {
    ByteBuffer word = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN);
    word.putInt(0, words[at * bits / 32]);
    return switch (bits) {
      case 8 -> word.get(at % 4);
      case 16 -> word.getShort(at % 2 * 2);
      default -> word.getInt(0);
    };
  }

  /** Rubbish in the padding must not matter. */
  static byte[] arranged(byte[] x, int rows, int inputs, ChannelOrder order) {
    byte[] out = new byte[rows * order.length()];
    for (int i = 0; i < out.length; i++) {
      int channel = order.source()[i % order.length()];
      out[i] = channel < 0 ? 99 : x[i / order.length() * inputs + channel];
    }
    return out;
  }
}
