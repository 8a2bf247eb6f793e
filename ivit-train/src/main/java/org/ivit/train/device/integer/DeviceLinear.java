package org.ivit.train.device.integer;

import java.util.Arrays;
import org.ivit.core.architecture.LinearSpec;
import org.ivit.core.arithmetic.AsymmetricGelu;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.QuantizedChannels;
import org.ivit.core.cuda.Divisor;
import org.ivit.core.cuda.Launch;
import org.ivit.core.cuda.Structure;
import org.ivit.core.engine.cuda.layer.ChannelOrder;
import org.ivit.core.engine.cuda.layer.Channels;
import org.ivit.core.engine.cuda.layer.LinearArguments;
import org.ivit.core.engine.cuda.layer.RowMap;
import org.ivit.core.engine.cuda.layer.Tile;
import org.ivit.core.graph.build.LinearConstants;
import org.ivit.core.graph.build.NodeBuilder;
import org.ivit.core.scheme.NodeScales;
import org.ivit.train.device.memory.DeviceBuffers;
import org.ivit.train.device.pass.ChannelGather;
import org.ivit.train.device.pass.NodeLayout;
import org.ivit.train.device.pass.Partials;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.device.product.Matrix;
import org.ivit.train.device.product.Product;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.SeenRanges;
import org.ivit.train.parameter.PartSpec;

/**
 * A linear layer on the device: the engine's integer product forward, float products back. Codes
 * come and go in the order of the graph.
 */
final class DeviceLinear implements AutoCloseable {
  private static final int NONE = -1;
  private static final int STAGE = 64;

  private final LinearSpec layer;
  private final int inputs;
  private final int outputs;
  private final int weightAt;
  private final int biasAt;
  private final DeviceBuffers memory;
  private final WeightCodes codes;
  private LinearConstants node;
  private float inputScale;
  private ChannelOrder order;
  private Channels channels;
  private boolean direct;
  private int source;
  private int scales;
  private int records;
  private int factors;
  private int offsets;
  private int least;
  private int largest;

  private static final class DequantizeArguments extends Structure {
    private final Field<Long> codes = address();
    private final Field<Long> scales = address();
    private final Field<Long> to = address();
    private final Field<Long> rows = int64();
    private final Field<Divisor> ofLength = divisor();
    private final Field<Integer> length = int32();
    private final Field<Integer> unused = unused();
  }

  private static final class ObservedLinearArguments extends Structure {
    private final Field<LinearArguments> linear = structure(new LinearArguments());
    private final Field<Long> least = address();
    private final Field<Long> largest = address();
  }

  private static final class OuterArguments extends Structure {
    private final Field<Long> column = address();
    private final Field<Long> row = address();
    private final Field<Long> to = address();
    private final Field<Long> rows = int64();
    private final Field<Divisor> ofColumns = divisor();
    private final Field<Integer> columns = int32();
    private final Field<Integer> unused = unused();
  }

  /**
   * @param pass what parts share
   * @param layout of the part
   * @param layer names and sizes
   * @param outliers channels of the input
   */
  DeviceLinear(Pass pass, NodeLayout layout, LinearSpec layer, OutlierChannels outliers) {
    this.layer = layer;
    this.inputs = layer.inputs();
    this.outputs = layer.outputs();
    PartSpec spec = layout.spec();
    this.weightAt = layout.at(spec.local(layer.weight()));
    this.biasAt = layer.biased() ? layout.at(spec.local(layer.bias())) : NONE;
    this.memory = new DeviceBuffers(pass.device);
    this.codes =
        new WeightCodes(pass, layout, spec.local(layer.parameters()), inputs, outputs, outliers);
  }

  /** Builds the constants of this step. */
  LinearConstants build(Pass pass, NodeBuilder nodes, NodeScales scales) {
    return nodes.constants(
        layer, channels(pass), scales.of(layer.input()), scales.of(layer.node()));
  }

  /**
   * Quantizes the weights for this step.
   *
   * @param weights of the network
   * @param nodeScales of the part
   */
  void quantize(Pass pass, Reals weights, NodeScales nodeScales) {
    inputScale = nodeScales.of(layer.input());
    codes.quantize(pass, weights, inputScale);
  }

  /** What became of the weights of this step. */
  QuantizedChannels channels(Pass pass) {
    return codes.channels(pass);
  }

  LinearConstants node() {
    return node;
  }

  /** Takes the node of this step and hands its constants to the upload. */
  void prepare(Pass pass, LinearConstants built) {
    prepare(pass, built, null);
  }

  /**
   * As {@link #prepare(Pass, Linear)}, for a layer whose input codes stand for values with an
   * offset.
   *
   * @param inputOffsets by input channel, before an outlier's shift; null for none
   */
  void prepare(Pass pass, LinearConstants built, double[] inputOffsets) {
    node = built;
    order = new ChannelOrder(inputs, built.inputOutliers());
    direct = order.natural() && order.length() == inputs && inputs % STAGE == 0;
    int[] columns = new int[outputs];
    Arrays.setAll(columns, c -> c);
    channels =
        Channels.of(columns, padded(), built.bias(), built.requantization(), built.bits() == 32);
    source = pass.constants.ints(order.source());
    scales = pass.constants.floats(built.weightScale());
    records = pass.constants.ints(channels.records());
    float[] factor = new float[inputs];
    Arrays.fill(factor, 1);
    for (int c : built.inputOutliers().channels()) {
      factor[c] = Math.scalb(1f, built.inputOutliers().shift());
    }
    factors = built.inputOutliers().isEmpty() ? NONE : pass.constants.floats(factor);
    offsets = inputOffsets == null ? NONE : pass.constants.floats(times(factor, inputOffsets));
    int[] extremes = new int[outputs];
    Arrays.fill(extremes, Integer.MAX_VALUE);
    least = pass.observed.ints(extremes);
    Arrays.fill(extremes, Integer.MIN_VALUE);
    largest = pass.observed.ints(extremes);
  }

  private float[] times(float[] factors, double[] offsets) {
    float[] products = new float[factors.length];
    for (int c = 0; c < products.length; c++) {
      products[c] = (float) (inputScale * factors[c] * offsets[c]);
    }
    return products;
  }

  private int padded() {
    return ChannelOrder.roundUp(outputs, Tile.PADDED_COLUMNS);
  }

  /** Brings the weights of this step into the forms that products read. */
  void load(Pass pass) {
    gather(pass).run(pass, codes.address(), packed(), outputs, padded());
    DequantizeArguments a = new DequantizeArguments();
    a.codes.set(codes.address());
    a.scales.set(pass.constants.at(scales));
    a.to.set(values());
    a.rows.set((long) outputs);
    a.ofLength.set(Divisor.of(inputs));
    a.length.set(inputs);
    pass.each("dequantize_rows", (long) outputs * inputs, 0, a);
  }

  /** From the order of the graph to that of the product. */
  private ChannelGather gather(Pass pass) {
    return new ChannelGather(pass.constants.at(source), inputs, order.length());
  }

  private long packed() {
    return memory.of("packed", (long) padded() * order.length(), 1);
  }

  private long values() {
    return memory.of("values", (long) outputs * inputs, 4);
  }

  /**
   * To 8-bit codes.
   *
   * @param x address of codes, [rows][inputs]
   * @param out receives codes, [rows][outputs]
   */
  void forward8(Pass pass, long x, int rows, long out) {
    forward(pass, x, rows, out, 0, 1);
  }

  /** To 16-bit codes, as {@link #forward8}. */
  void forward16(Pass pass, long x, int rows, long out) {
    forward(pass, x, rows, 0, out, 2);
  }

  private void forward(Pass pass, long x, int rows, long codes, long stream, int bytes) {
    Tile tile = Tile.of(pass.device, true, rows, outputs);
    LinearArguments linear = arguments(pass, x, rows);
    linear.codes.set(codes);
    linear.stream.set(stream);
    linear.withoutLogits();
    ObservedLinearArguments a = new ObservedLinearArguments();
    a.linear.set(linear);
    a.least.set(pass.observed(least));
    a.largest.set(pass.observed(largest));
    pass.device.launch(
        new Launch(
            tile.kernel("observed_" + 8 * bytes),
            tile.across(outputs),
            tile.down(rows),
            1,
            tile.threads(),
            tile.sharedBytes(bytes),
            a.bytes()));
  }

  /**
   * To logits.
   *
   * @param x address of codes, [pictures][inputs]
   * @param logits address, [pictures][outputs]
   * @param add whether they are added to what is there
   */
  void logits(Pass pass, long x, int pictures, long logits, boolean add) {
    Tile tile = Tile.of(pass.device, false, pictures, outputs);
    LinearArguments a = arguments(pass, x, pictures);
    a.codes.set(0L);
    a.stream.set(0L);
    a.logits.set(logits);
    a.accumulate.set(add ? 1 : 0);
    pass.device.launch(
        new Launch(
            tile.kernel("logits"),
            tile.across(outputs),
            tile.down(pictures),
            1,
            tile.threads(),
            tile.sharedBytes(1),
            a.bytes()));
  }

  private LinearArguments arguments(Pass pass, long x, int rows) {
    LinearArguments a = new LinearArguments();
    a.input.set(ordered(pass, x, rows));
    a.weight.set(packed());
    a.withoutIndices();
    a.channels.set(pass.constants.at(records));
    a.map.set(RowMap.same(1));
    a.rows.set(rows);
    a.columns.set(outputs);
    a.depth.set(order.length());
    a.inputStride.set(order.length());
    a.outputStride.set(outputs);
    a.outlierSteps.set(order.steps());
    a.outlierShift.set(order.outliers().shift());
    a.wide.set(channels.wide() ? 1 : 0);
    a.bits.set(node.bits());
    a.withoutTables();
    a.withoutSum();
    return a;
  }

  private long ordered(Pass pass, long x, int rows) {
    if (direct) {
      return x;
    }
    long ordered = pass.scratch.of("ordered", (long) rows * order.length(), 1);
    gather(pass).run(pass, x, ordered, rows, rows);
    return ordered;
  }

  /**
   * Straight through ({@code docs/arithmetic.md#straight-through-gradients}): {@code gx = g·W_q},
   * {@code gW += gᵀ·x_q}, {@code gb += Σg}.
   *
   * @param x codes of the forward pass, [rows][inputs]
   * @param gy gradient by the output, [rows][outputs]
   * @param gx receives that by the input, [rows][inputs]; 0 where nobody wants it
   */
  void backward(Pass pass, long x, long gy, long gx, int rows) {
    parametersBackward(pass, x, gy, rows);
    if (gx != 0) {
      inputBackward(pass, gy, gx, rows, false);
    }
  }

  /** As {@link #backward}, for an input that feeds another layer too: adds to {@code gx}. */
  void backwardAdded(Pass pass, long x, long gy, long gx, int rows) {
    parametersBackward(pass, x, gy, rows);
    inputBackward(pass, gy, gx, rows, true);
  }

  private void inputBackward(Pass pass, long gy, long gx, int rows, boolean add) {
    Matrix g = Matrix.of(gy, outputs);
    Matrix weight = Matrix.of(values(), inputs);
    Matrix byInput = Matrix.of(gx, inputs);
    pass.product.run(
        Product.Kind.NN_REAL_REAL, rows, inputs, outputs, 1, g, weight, byInput, 0, add);
  }

  private void parametersBackward(Pass pass, long x, long gy, int rows) {
    long gradient = pass.gradients + 4L * weightAt;
    Matrix g = Matrix.of(gy, outputs);
    pass.product.run(
        Product.Kind.TN_REAL_CODE8,
        outputs,
        inputs,
        rows,
        inputScale,
        g,
        Matrix.of(x, inputs),
        Matrix.of(gradient, inputs),
        factors == NONE ? 0 : pass.constants.at(factors),
        pass.added());
    if (biasAt != NONE) {
      Partials partials = pass.partials(rows, outputs);
      pass.columnPartials(gy, rows, outputs, outputs, partials);
      partials.sum(pass, 0, outputs, outputs, pass.gradients + 4L * biasAt, 0, pass.added());
      if (offsets != NONE) {
        long sums = pass.scratch.of("linear.sums", outputs, 4);
        partials.sum(pass, 0, outputs, outputs, sums, 0, false);
        addOffsets(pass, sums, gradient);
      }
    }
  }

  private void addOffsets(Pass pass, long sums, long gradient) {
    OuterArguments a = new OuterArguments();
    a.column.set(sums);
    a.row.set(pass.constants.at(offsets));
    a.to.set(gradient);
    a.rows.set((long) outputs);
    a.ofColumns.set(Divisor.of(inputs));
    a.columns.set(inputs);
    pass.each("add_outer_product", (long) outputs * inputs, 0, a);
  }

  /**
   * Takes what the step observed.
   *
   * @param outliers channels of the output that take no part in its range
   */
  void seen(Pass pass, OutlierChannels outliers, SeenRanges seen) {
    double min = Double.POSITIVE_INFINITY;
    double max = Double.NEGATIVE_INFINITY;
    for (int c = 0; c < outputs; c++) {
      if (!outliers.contains(c)) {
        double scale = node.biasScale()[c];
        min = Math.min(min, pass.observed.intAt(least, c) * scale);
        max = Math.max(max, pass.observed.intAt(largest, c) * scale);
      }
    }
    seen.include(node.name(), min, max);
  }

  /**
   * The offsets that the codes of a GELU stand for, in units of a code.
   *
   * @param outputScale of the GELU
   */
  static double[] geluOffsets(int channels, float outputScale, OutlierChannels outliers) {
    double[] offsets = new double[channels];
    Arrays.fill(offsets, AsymmetricGelu.offset(outputScale));
    for (int c : outliers.channels()) {
      offsets[c] = AsymmetricGelu.offset(outliers.outlierScale(outputScale));
    }
    return offsets;
  }

  @Override
  public void close() {
    codes.close();
    memory.close();
  }
}
