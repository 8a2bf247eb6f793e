package org.ivit.train.device.integer;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.IntToDoubleFunction;
import org.ivit.core.InputException;
import org.ivit.core.arithmetic.ChannelSums;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.QuantizedChannels;
import org.ivit.core.cuda.Structure;
import org.ivit.core.graph.FloatWeights;
import org.ivit.train.device.memory.DeviceBuffers;
import org.ivit.train.device.pass.NodeLayout;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.device.pass.WeightGridFields;
import org.ivit.train.memory.Reals;

/**
 * The weights of a linear layer, quantized on the device where they lie ({@code
 * docs/arithmetic.md#from-float-to-codes}); the host learns of each output channel what its
 * constants need.
 */
final class WeightCodes implements AutoCloseable {
  private static final int NONE = -1;

  /** Words of the structure {@code QuantizedChannel} in C++. */
  private static final int WORDS = 8;

  private final String layer;
  private final int inputs;
  private final int outputs;
  private final int weightAt;
  private final int biasAt;
  private final int frozenAt;
  private final int grid;
  private final int records;
  private final OutlierChannels outliers;
  private final DeviceBuffers memory;
  private long flags;
  private boolean begun;

  private static final class QuantizeArguments extends Structure {
    private final Field<Long> weight = address();
    private final Field<Long> bias = address();
    private final Field<Long> frozen = address();
    private final Field<Long> outliers = address();
    private final Field<Long> codes = address();
    private final Field<Long> channels = address();
    private final Field<WeightGridFields> grid = structure(new WeightGridFields());
    private final Field<Integer> outputs = int32();
    private final Field<Integer> inputs = int32();
    private final Field<Float> inputScale = float32();
    private final Field<Integer> unused = unused();
  }

  /**
   * @param pass what parts share
   * @param layout of the part
   * @param key parameter prefix within the part, such as {@code attn.qkv}
   * @param outliers channels of the input
   */
  WeightCodes(
      Pass pass, NodeLayout layout, String key, int inputs, int outputs, OutlierChannels outliers) {
    layer = layout.prefix() + key;
    this.inputs = inputs;
    this.outputs = outputs;
    this.outliers = outliers;
    weightAt = layout.at(key + ".weight");
    biasAt = at(layout, key + ".bias");
    frozenAt = at(layout, FloatWeights.scaleName(key + ".weight"));
    grid = pass.grids.add(layout, key + ".weight", outputs, inputs);
    records = pass.channels.add(4L * WORDS * outputs);
    memory = new DeviceBuffers(pass.device);
  }

  private static int at(NodeLayout layout, String key) {
    return layout.layout().contains(key) ? layout.at(key) : NONE;
  }

  /** Address of the codes, [outputs][inputs]. */
  long address() {
    return memory.of("codes", (long) outputs * inputs, 1);
  }

  /**
   * Quantizes the weights as they are.
   *
   * @param weights of the network, of which the frozen scales are read
   * @param inputScale scale of the input codes
   */
  void quantize(Pass pass, Reals weights, float inputScale) {
    boolean frozen = frozenAt != NONE && weights.get(frozenAt) != 0;
    if (!begun) {
      begin(pass, weights, frozen);
      begun = true;
    }
    if (grid != NONE) {
      float[] scales = pass.grids.scales(grid);
      requirePositive(c -> scales[c]);
    }
    QuantizeArguments a = new QuantizeArguments();
    a.weight.set(pass.parameters + 4L * weightAt);
    a.bias.set(biasAt == NONE ? 0 : pass.parameters + 4L * biasAt);
    a.frozen.set(
        grid != NONE ? pass.grids.scalesAt(grid) : frozen ? pass.parameters + 4L * frozenAt : 0);
    a.grid.set(grid == NONE ? WeightGridFields.none() : pass.grids.fields(grid));
    a.outliers.set(flags);
    a.codes.set(address());
    a.channels.set(pass.channels.at(records));
    a.outputs.set(outputs);
    a.inputs.set(inputs);
    a.inputScale.set(inputScale);
    pass.warps("quantize_channels", outputs, a);
  }

  /** What does not change from step to step: outlier channels and frozen scales. */
  private void begin(Pass pass, Reals weights, boolean frozen) {
    if (frozen) {
      requirePositive(c -> weights.get(frozenAt + c));
    }
    if (!outliers.isEmpty()) {
      flags = memory.of("outliers", inputs, 1);
      ByteBuffer bytes = ByteBuffer.allocateDirect(inputs);
      for (int c : outliers.channels()) {
        bytes.put(c, (byte) 1);
      }
      pass.device.write(flags, bytes);
    }
  }

  private void requirePositive(IntToDoubleFunction scales) {
    for (int c = 0; c < outputs; c++) {
      double scale = scales.applyAsDouble(c);
      if (!(scale > 0 && scale < Double.POSITIVE_INFINITY)) {
        throw new InputException(
            "%s: element %s is %s, expected a positive value"
                .formatted(FloatWeights.scaleName(layer + ".weight"), c, scale));
      }
    }
  }

  /**
   * What became of the weights, after the records were received.
   *
   * @throws InputException naming a weight that is not finite
   */
  QuantizedChannels channels(Pass pass) {
    float[] scale = new float[outputs];
    int[][] sums = new int[4][outputs];
    for (int c = 0; c < outputs; c++) {
      int at = records + 4 * WORDS * c;
      int infinite = pass.channels.intAt(at, 5);
      if (infinite >= 0) {
        throw refusal(pass, c * (long) inputs + infinite);
      }
      scale[c] = pass.channels.floatAt(at, 0);
      for (int i = 0; i < sums.length; i++) {
        sums[i][c] = pass.channels.intAt(at, 1 + i);
      }
    }
    return new QuantizedChannels(
        inputs, scale, new ChannelSums(sums[0], sums[1], sums[2], sums[3]));
  }

  private InputException refusal(Pass pass, long element) {
    ByteBuffer value = ByteBuffer.allocateDirect(4).order(ByteOrder.nativeOrder());
    pass.device.read(value, pass.parameters + 4L * (weightAt + element));
    return new InputException(
        "%s.weight: element %d is %s, expected a finite value"
            .formatted(layer, element, value.getFloat(0)));
  }

  @Override
  public void close() {
    memory.close();
  }
}
