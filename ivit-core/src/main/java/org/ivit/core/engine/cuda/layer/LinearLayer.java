package org.ivit.core.engine.cuda.layer;

import java.util.stream.IntStream;
import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.Launch;
import org.ivit.core.cuda.Structure;
import org.ivit.core.graph.Linear;
import org.ivit.core.graph.Residual;

/**
 * A linear layer's constants on the device, and its launches. Weights of fewer than 8 bits lie
 * there as indices, for products of few rows; codes of 8 bits follow when one of more rows is first
 * asked for.
 */
public final class LinearLayer {
  private static final int GELU_BYTES = 512;

  /**
   * Rows up to which indices are decoded in the product: each tile of rows decodes them again,
   * which beyond four medium tiles costs more than half the bytes of the weights save.
   */
  public static final int MOST_ROWS_OF_INDICES = 256;

  private final Constants constants;
  private final Linear linear;
  private final ChannelOrder inputs;
  private final int columns;

  /** Output channel of each column of the product, -1 for one of zeros. */
  private final int[] outputs;

  private final IndexedWeights indices;
  private final long channels;
  private final boolean wide;

  /** Address of the 8-bit codes, 0 while nobody has asked for them. */
  private long weight;

  /**
   * @param constants receives weights and multipliers
   * @param linear node
   * @param inputs order of the input channels
   * @param outputs output channel of each column, -1 for one of zeros
   */
  public LinearLayer(Constants constants, Linear linear, ChannelOrder inputs, int[] outputs) {
    this.constants = constants;
    this.linear = linear;
    this.inputs = inputs;
    this.columns = outputs.length;
    boolean logits = linear.bits() == 32;
    this.outputs = logits ? outputs : ProductColumns.of(outputs);
    int padded = padded();
    indices =
        IndexedWeights.suits(linear.codes())
            ? new IndexedWeights(constants, linear.codes(), inputs, this.outputs, padded)
            : null;
    if (indices == null) {
      weight();
    }
    if (logits) {
      Channels exact = Channels.of(outputs, padded, linear.bias(), linear.requantization(), true);
      channels = constants.ints(exact.records());
      wide = true;
    } else {
      FoldedChannels folded =
          FoldedChannels.of(outputs, padded, linear.bias(), linear.requantization());
      channels = constants.ints(folded.records());
      wide = folded.wide();
    }
  }

  /** A layer whose columns are its output channels. */
  public static LinearLayer natural(Constants constants, Linear linear) {
    return new LinearLayer(
        constants,
        linear,
        new ChannelOrder(linear.inputs(), linear.inputOutliers()),
        inOrder(linear.outputs()));
  }

  /** Returns columns that are {@code n} output channels. */
  public static int[] inOrder(int n) {
    return IntStream.range(0, n).toArray();
  }

  private int padded() {
    return ChannelOrder.roundUp(columns, Tile.PADDED_COLUMNS);
  }

  /** Returns the address of the 8-bit codes. */
  private synchronized long weight() {
    if (weight == 0) {
      weight = constants.bytes(weights());
    }
    return weight;
  }

  private byte[] weights() {
    int depth = inputs.length();
    byte[] packed = new byte[Math.multiplyExact(padded(), depth)];
    int[] source = inputs.source();
    byte[] codes = linear.weight();
    for (int column = 0; column < outputs.length; column++) {
      if (outputs[column] < 0) {
        continue;
      }
      int from = outputs[column] * linear.inputs();
      int to = column * depth;
      if (inputs.natural()) {
        System.arraycopy(codes, from, packed, to, linear.inputs());
      } else {
        for (int k = 0; k < depth; k++) {
          packed[to + k] = source[k] < 0 ? 0 : codes[from + source[k]];
        }
      }
    }
    return packed;
  }

  /** Returns bytes of a row of input codes. */
  public int depth() {
    return inputs.length();
  }

  /**
   * To 8-bit codes.
   *
   * @param device of the launch
   * @param rows of the input
   * @param input address of codes, {@link #depth} bytes a row
   * @param output address of codes
   * @param stride bytes of a row of the output, a multiple of 64
   * @param gelu tables that the codes go through, or null
   */
  public Launch codes(
      Device device, int rows, long input, long output, int stride, GeluTables gelu) {
    Tile tile = slicedTile(device, !decodes(rows), rows);
    LinearArguments a = codesArguments(rows, input, output, stride, RowMap.same(1));
    if (gelu == null) {
      a.withoutTables();
    } else {
      a.tables.set(gelu.address());
      a.outlierColumns.set(gelu.outliers());
    }
    return launch(tile, "codes", GELU_BYTES + tile.sharedBytes(), rows, a);
  }

  /**
   * To 16-bit codes, added to others or not.
   *
   * @param device of the launch
   * @param rows of the input
   * @param input address of codes, {@link #depth} bytes a row
   * @param stream address of the tokens that are written
   * @param stride codes of a token
   * @param map tokens of the rows
   * @param sum how the identity is added; null where it is not
   * @param identity address of what is added, codes as of the stream
   * @param identityStride its tokens from one picture to the next
   */
  public Launch stream(
      Device device,
      int rows,
      long input,
      long stream,
      int stride,
      RowMap map,
      Residual sum,
      long identity,
      int identityStride) {
    Tile tile = slicedTile(device, !decodes(rows), rows);
    LinearArguments a = arguments(rows, input, inputs.length());
    a.stream.set(stream);
    a.outputStride.set(stride);
    a.codes.set(0L);
    a.withoutTables();
    a.withoutLogits();
    a.map.set(map);
    if (sum == null) {
      a.withoutSum();
    } else {
      a.identity.set(identity);
      a.identityStride.set(identityStride);
      a.adder.set(LinearArguments.Adder.of(sum.branch(), sum.identity()));
    }
    return launch(tile, "stream", tile.sharedBytes(), rows, a);
  }

  /**
   * To logits.
   *
   * @param device of the launch
   * @param rows pictures
   * @param input address of codes
   * @param inputStride bytes from one picture's codes to the next one's
   * @param logits address, [pictures][classes]
   * @param accumulate whether they are added to what is there
   */
  public Launch logits(
      Device device, int rows, long input, int inputStride, long logits, boolean accumulate) {
    Tile tile = slicedTile(device, false, rows);
    LinearArguments a = arguments(rows, input, inputStride);
    a.logits.set(logits);
    a.outputStride.set(columns);
    a.accumulate.set(accumulate ? 1 : 0);
    a.codes.set(0L);
    a.stream.set(0L);
    a.withoutTables();
    a.map.set(RowMap.same(1));
    a.withoutSum();
    return launch(tile, "logits", tile.sharedBytes(), rows, a);
  }

  /** What kernels take that write 8-bit codes, but for the tables. */
  LinearArguments codesArguments(int rows, long input, long output, int stride, RowMap map) {
    LinearArguments a = arguments(rows, input, inputs.length());
    a.codes.set(output);
    a.outputStride.set(stride);
    a.stream.set(0L);
    a.map.set(map);
    a.withoutSum();
    a.withoutLogits();
    return a;
  }

  /** What kernels take that write 16-bit codes row by row. */
  LinearArguments rowsArguments(int rows, long input, long output, int stride) {
    LinearArguments a = arguments(rows, input, inputs.length());
    a.stream.set(output);
    a.outputStride.set(stride);
    a.codes.set(0L);
    a.map.set(RowMap.same(1));
    a.withoutTables();
    a.withoutSum();
    a.withoutLogits();
    return a;
  }

  /** The largest tile that suits a product. */
  Tile tile(Device device, int rows) {
    return Tile.of(device, !decodes(rows), rows, columns);
  }

  /** The same where kernels may split K. */
  private Tile slicedTile(Device device, boolean large, int rows) {
    Tile tile = Tile.of(device, large, rows, columns);
    return Tile.SLICED.suits(device, tile, rows, columns, inputs.length()) ? Tile.SLICED : tile;
  }

  /** Whether a product of so many rows decodes indices. */
  private boolean decodes(int rows) {
    return indices != null && rows <= MOST_ROWS_OF_INDICES;
  }

  private LinearArguments arguments(int rows, long input, int inputStride) {
    LinearArguments a = new LinearArguments();
    a.input.set(input);
    if (decodes(rows)) {
      a.weight.set(0L);
      a.indices.set(indices.arguments());
    } else {
      a.weight.set(weight());
      a.withoutIndices();
    }
    a.channels.set(channels);
    a.rows.set(rows);
    a.columns.set(columns);
    a.depth.set(inputs.length());
    a.inputStride.set(inputStride);
    a.outlierSteps.set(inputs.steps());
    a.outlierShift.set(inputs.outliers().shift());
    a.wide.set(wide ? 1 : 0);
    a.bits.set(linear.bits());
    return a;
  }

  /** A launch of {@code linear_EPILOGUE}, or of that which decodes indices, over all columns. */
  Launch launch(Tile tile, String epilogue, int sharedBytes, int rows, Structure a) {
    return new Launch(
        tile.kernel(decodes(rows) ? epilogue + "_indices" : epilogue),
        tile.across(columns),
        tile.down(rows),
        1,
        tile.threads(),
        sharedBytes,
        a.bytes());
  }
}
