package org.ivit.core.engine.cuda;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.Launch;
import org.ivit.core.engine.cuda.layer.ChannelOrder;
import org.ivit.core.engine.cuda.layer.Constants;
import org.ivit.core.engine.cuda.layer.GeluTables;
import org.ivit.core.engine.cuda.layer.LinearLayer;
import org.ivit.core.engine.cuda.layer.RowMap;
import org.ivit.core.engine.cuda.layer.StreamLayout;
import org.ivit.core.engine.reference.NodeKernels;
import org.ivit.core.engine.reference.ReferenceMatrixProducts;
import org.ivit.core.graph.GeluTable;
import org.ivit.core.graph.Linear;
import org.ivit.core.graph.Residual;
import org.ivit.core.weight.WeightCodes;

/** What follows a product, against the reference: sums with a stream, and GELU by tables. */
final class EpilogueChecks {
  private static final int GROUP = 7;

  /** Rows of several tiles, and few of a long product, which some devices split. */
  static final List<LinearChecks.Size> SIZES =
      List.of(new LinearChecks.Size(150, 70, 150, 5), new LinearChecks.Size(14, 600, 45, 40));

  /**
   * Multipliers of branch and identity: usual ones, the ends of each way of adding, the largest.
   */
  private static final List<Residual> SUMS =
      List.of(
          sum(new Dyadic(1234567890, 31), new Dyadic(1 << 30, 30)),
          sum(new Dyadic(1987654321, 37), new Dyadic(Integer.MAX_VALUE, 32)),
          sum(new Dyadic(1 << 30, 32), new Dyadic(Integer.MAX_VALUE, 33)),
          sum(new Dyadic(Integer.MAX_VALUE, 26), new Dyadic(1 << 30, 26)),
          sum(new Dyadic(1 << 30, 25), new Dyadic(Integer.MAX_VALUE, 31)),
          sum(new Dyadic(Integer.MAX_VALUE, 62), new Dyadic(Integer.MAX_VALUE, 62)),
          sum(new Dyadic(Integer.MAX_VALUE, 1), new Dyadic(Integer.MAX_VALUE, 1)));

  private EpilogueChecks() {}

  private static Residual sum(Dyadic branch, Dyadic identity) {
    return new Residual("residual", branch, identity, 1f);
  }

  /**
   * Returns how many codes of sums differ, for rows in order, in another one, and of some tokens.
   */
  static int differencesOfSums(Device device, LinearChecks.Size size) {
    int differences = 0;
    for (int i = 0; i < SUMS.size(); i++) {
      Random random = new Random(i);
      Linear linear = linear(random, size, 16, i % 2 == 0 ? 33 : 12);
      try (Constants constants = new Constants(device)) {
        int[] order = {6, 2, 0, 1, 5, 3, 4};
        for (RowMap map :
            List.of(
                RowMap.same(GROUP),
                new RowMap(constants.ints(order), GROUP, GROUP, 0),
                new RowMap(0, GROUP - 2, GROUP, 1))) {
          differences +=
              ofSum(
                  constants,
                  linear,
                  SUMS.get(i),
                  map,
                  map.table() == 0 ? null : order,
                  size.rows());
        }
      }
    }
    return differences;
  }

  private static int ofSum(
      Constants constants, Linear linear, Residual sum, RowMap map, int[] order, int rows) {
    Random random = new Random(rows);
    Device device = constants.device();
    byte[] x = LinearChecks.inputs(random, rows * linear.inputs(), linear.inputs());
    short[] codes = NodeKernels.requantize16(linear, accumulators(linear, x, rows));
    int stride = StreamLayout.stride(linear.outputs());
    int tokens = (rows + map.length() - 1) / map.length() * map.stride();
    int[] before = random.ints(tokens * stride / 2).toArray();
    before[0] = 0x7fff8000;
    long stream = constants.ints(before);
    LinearLayer layer = LinearLayer.natural(constants, linear);
    long input = constants.bytes(arranged(linear, x, rows));
    Launch launch =
        layer.stream(device, rows, input, stream, stride, map, sum, stream, map.stride());
    int[] after = run(device, launch, stream, before.length);
    int differences = 0;
    for (int row = 0; row < rows; row++) {
      int inside = row % map.length();
      int place = order == null ? inside : order[inside];
      int token = row / map.length() * map.stride() + map.offset() + place;
      for (int c = 0; c < linear.outputs(); c++) {
        int at = token * stride + c;
        int code = sum.add(codes[row * linear.outputs() + c], LinearChecks.element(before, 16, at));
        differences += code == LinearChecks.element(after, 16, at) ? 0 : 1;
      }
    }
    return differences;
  }

  /** Returns how many codes of GELU differ, without and with outlier channels of its own. */
  static int differencesOfGelu(Device device, LinearChecks.Size size) {
    int differences = 0;
    for (int outliers : new int[] {0, 3, 32, 41}) {
      for (int least : new int[] {33, 9}) {
        differences += ofGelu(device, size, outliers, least);
      }
    }
    return differences;
  }

  private static int ofGelu(Device device, LinearChecks.Size size, int outliers, int least) {
    Random random = new Random(outliers);
    Linear linear = linear(random, size, 8, least);
    OutlierChannels set =
        outliers == 0
            ? OutlierChannels.NONE
            : new OutlierChannels(IntStream.range(0, outliers).map(c -> c + 2).toArray(), 3);
    byte[] table = new byte[256];
    byte[] second = new byte[outliers == 0 ? 0 : 256];
    random.nextBytes(table);
    random.nextBytes(second);
    GeluTable gelu = new GeluTable("act", table, second, set, 1f);
    byte[] x = LinearChecks.inputs(random, size.rows() * size.inputs(), size.inputs());
    byte[] codes = NodeKernels.requantize8(linear, accumulators(linear, x, size.rows()));
    try (Constants constants = new Constants(device)) {
      ChannelOrder order = new ChannelOrder(size.outputs(), set);
      LinearLayer layer =
          new LinearLayer(
              constants,
              linear,
              new ChannelOrder(linear.inputs(), linear.inputOutliers()),
              order.source());
      long input = constants.bytes(arranged(linear, x, size.rows()));
      int words = size.rows() * order.length() / 4;
      long out = constants.ints(new int[words]);
      Launch launch =
          layer.codes(
              device, size.rows(), input, out, order.length(), GeluTables.of(constants, gelu));
      int[] found = run(device, launch, out, words);
      int differences = 0;
      int[] places = order.places();
      for (int i = 0; i < codes.length; i++) {
        int channel = i % size.outputs();
        byte[] used = set.contains(channel) ? second : table;
        int at = i / size.outputs() * order.length() + places[channel];
        differences += used[codes[i] + 128] == LinearChecks.element(found, 8, at) ? 0 : 1;
      }
      return differences;
    }
  }

  private static Linear linear(Random random, LinearChecks.Size size, int bits, int least) {
    byte[] weight = new byte[size.inputs() * size.outputs()];
    random.nextBytes(weight);
    return LinearChecks.linear(random, size, WeightCodes.of(weight, size.outputs()), bits, least);
  }

  private static int[] accumulators(Linear linear, byte[] x, int rows) {
    return new ReferenceMatrixProducts()
        .linear(x, rows, linear.weight(), linear.bias(), linear.inputs(), linear.inputOutliers());
  }

  private static byte[] arranged(Linear linear, byte[] x, int rows) {
    ChannelOrder order = new ChannelOrder(linear.inputs(), linear.inputOutliers());
    return LinearChecks.arranged(x, rows, linear.inputs(), order);
  }

  private static int[] run(Device device, Launch launch, long from, int words) {
    device.launch(launch);
    ByteBuffer bytes = ByteBuffer.allocateDirect(4 * words).order(ByteOrder.LITTLE_ENDIAN);
    device.read(bytes, from);
    int[] found = new int[words];
    bytes.rewind().order(ByteOrder.LITTLE_ENDIAN).asIntBuffer().get(found);
    return found;
  }
}
