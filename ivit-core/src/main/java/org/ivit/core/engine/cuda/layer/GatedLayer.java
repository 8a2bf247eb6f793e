package org.ivit.core.engine.cuda.layer;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.ivit.core.arithmetic.DyadicVector;
import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.Launch;
import org.ivit.core.cuda.Structure;
import org.ivit.core.graph.Gating;
import org.ivit.core.graph.Linear;
import org.ivit.core.weight.WeightCodes;

/** The two products of SwiGLU as one, and the gating that ends it; constants on the device. */
public final class GatedLayer {
  private static final int TABLE_BYTES = 512;

  private final LinearLayer products;
  private final long gates;
  private final long records;
  private final FoldedChannels gated;

  private static final class GatedLinearArguments extends Structure {
    private final Field<LinearArguments> linear = structure(new LinearArguments());
    private final Field<Long> gates = address();
    private final Field<Long> products = address();
    private final Field<Integer> wide = int32();
    private final Field<Integer> unused = unused();
  }

  /**
   * @param constants receives them
   * @param gate product of the gates
   * @param value product of what is gated, with the same inputs
   * @param gating of the two
   * @param inputs order of the input channels
   * @param outputs hidden channel of each column, -1 for one of zeros
   */
  public GatedLayer(
      Constants constants,
      Linear gate,
      Linear value,
      Gating gating,
      ChannelOrder inputs,
      int[] outputs) {
    products =
        new LinearLayer(constants, both(gate, value), inputs, pairs(outputs, gate.outputs()));
    gates = constants.shorts(gating.table());
    gated =
        FoldedChannels.of(
            outputs,
            ChannelOrder.roundUp(2 * outputs.length, Tile.PADDED_COLUMNS) / 2,
            null,
            gating.product());
    records = constants.ints(gated.records());
  }

  /** Gates, then values, as the outputs of one layer. */
  private static Linear both(Linear gate, Linear value) {
    return new Linear(
        gate.name(),
        gate.inputs(),
        gate.outputs() + value.outputs(),
        WeightCodes.joined(gate.codes(), value.codes()),
        joined(gate.bias(), value.bias()),
        gate.inputOutliers(),
        new DyadicVector(
            joined(gate.requantization().multiplier(), value.requantization().multiplier()),
            joined(gate.requantization().shift(), value.requantization().shift())),
        gate.bits(),
        gate.outputScale());
  }

  private static byte[] joined(byte[] first, byte[] second) {
    byte[] both = Arrays.copyOf(first, Math.addExact(first.length, second.length));
    System.arraycopy(second, 0, both, first.length, second.length);
    return both;
  }

  private static int[] joined(int[] first, int[] second) {
    return IntStream.concat(Arrays.stream(first), Arrays.stream(second)).toArray();
  }

  /** Each gate with its value behind it. */
  private static int[] pairs(int[] outputs, int hidden) {
    return Arrays.stream(outputs).flatMap(c -> IntStream.of(c, c < 0 ? c : hidden + c)).toArray();
  }

  /**
   * To 8-bit codes.
   *
   * @param device of the launch
   * @param rows of the input
   * @param input address of codes
   * @param output address of codes
   * @param stride bytes of a row of the output, a multiple of 64
   */
  public Launch codes(Device device, int rows, long input, long output, int stride) {
    LinearArguments a = products.codesArguments(rows, input, output, stride, RowMap.same(1));
    a.withoutTables();
    return launch(device, "gated_8", rows, a);
  }

  /**
   * To 16-bit codes.
   *
   * @param device of the launch
   * @param rows of the input
   * @param input address of codes
   * @param output address of codes
   * @param stride codes of a row of the output, a multiple of 8
   */
  public Launch stream(Device device, int rows, long input, long output, int stride) {
    return launch(device, "gated_16", rows, products.rowsArguments(rows, input, output, stride));
  }

  private Launch launch(Device device, String epilogue, int rows, LinearArguments linear) {
    Tile tile = products.tile(device, rows);
    GatedLinearArguments a = new GatedLinearArguments();
    a.linear.set(linear);
    a.gates.set(gates);
    a.products.set(records);
    a.wide.set(gated.wide() ? 1 : 0);
    return products.launch(tile, epilogue, TABLE_BYTES + tile.sharedBytes(), rows, a);
  }
}
