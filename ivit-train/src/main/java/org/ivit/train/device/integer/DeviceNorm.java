package org.ivit.train.device.integer;

import java.util.Arrays;
import org.ivit.core.architecture.Node;
import org.ivit.core.arithmetic.ILayerNorm;
import org.ivit.core.cuda.Divisor;
import org.ivit.core.cuda.Structure;
import org.ivit.core.graph.LayerNorm;
import org.ivit.train.device.memory.DeviceBuffers;
import org.ivit.train.device.pass.NodeLayout;
import org.ivit.train.device.pass.Partials;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.SeenRanges;

/** I-LayerNorm on the device. */
final class DeviceNorm implements AutoCloseable {
  /** Rows that a block takes at once. */
  private static final int ROWS = 16;

  /** Of the statistics of a row. */
  private static final int ROW_BYTES = 16;

  private final int channels;
  private final int gammaAt;
  private final int betaAt;
  private final DeviceBuffers memory;
  private LayerNorm node;
  private float inputScale;
  private double[] factor;
  private double[] beta;
  private int multiplier;
  private int offset;
  private int least;
  private int largest;

  private static final class ObservedNormArguments extends Structure {
    private final Field<Long> from = address();
    private final Field<Long> to = address();
    private final Field<Long> kept = address();
    private final Field<Long> multiplier = address();
    private final Field<Long> offset = address();
    private final Field<Long> least = address();
    private final Field<Long> largest = address();
    private final Field<Divisor> twiceChannels = divisor();
    private final Field<Long> rows = int64();
    private final Field<Long> fromStride = int64();
    private final Field<Long> epsilon = int64();
    private final Field<Integer> channels = int32();
    private final Field<Integer> shift = int32();
  }

  private static final class NormBackwardArguments extends Structure {
    private final Field<Long> from = address();
    private final Field<Long> kept = address();
    private final Field<Long> gradient = address();
    private final Field<Long> to = address();
    private final Field<Long> gamma = address();
    private final Field<Long> gammaPartial = address();
    private final Field<Long> betaPartial = address();
    private final Field<Double> rootOfChannels = float64();
    private final Field<Double> inputScale = float64();
    private final Field<Long> rows = int64();
    private final Field<Long> toStride = int64();
    private final Field<Integer> channels = int32();
    private final Field<Integer> rowsAPart = int32();
  }

  /**
   * @param pass what parts share
   * @param layout of the part
   * @param norm names its parameters too
   */
  DeviceNorm(Pass pass, NodeLayout layout, Node norm, int channels) {
    this.channels = channels;
    this.gammaAt = layout.at(layout.spec().local(norm + ".weight"));
    this.betaAt = layout.at(layout.spec().local(norm + ".bias"));
    this.memory = new DeviceBuffers(pass.device);
  }

  LayerNorm node() {
    return node;
  }

  /**
   * Takes the node of this step.
   *
   * @param weights of the network
   * @param scale of the input codes
   */
  void prepare(Pass pass, LayerNorm built, Reals weights, float scale) {
    node = built;
    inputScale = scale;
    float[] gamma = new float[channels];
    weights.get(gammaAt, gamma, 0, channels);
    beta = new double[channels];
    weights.get(betaAt, beta, 0, channels);
    factor = new double[channels];
    long[] offsets = new long[channels];
    ILayerNorm.Constants constants = built.constants();
    for (int c = 0; c < channels; c++) {
      factor[c] = ILayerNorm.valueFactor(gamma[c], channels);
      offsets[c] = constants.offset()[c] + (1L << (constants.shift() - 1));
    }
    multiplier = pass.constants.ints(constants.multiplier());
    offset = pass.constants.longs(offsets);
    int[] extremes = new int[channels];
    Arrays.fill(extremes, Integer.MAX_VALUE);
    least = pass.observed.ints(extremes);
    Arrays.fill(extremes, Integer.MIN_VALUE);
    largest = pass.observed.ints(extremes);
  }

  /**
   * @param x address of 16-bit codes, [rows][channels]
   * @param out receives 8-bit codes, [rows][channels]
   * @param use which of several uses in a pass this is, from 0
   */
  void forward8(Pass pass, long x, int rows, long out, int use) {
    forward(pass, "norm_observed_16_8", x, rows, out, use);
  }

  /** As {@link #forward8}, to 16-bit codes. */
  void forward16(Pass pass, long x, int rows, long out, int use) {
    forward(pass, "norm_observed_16_16", x, rows, out, use);
  }

  private long kept(int rows, int use) {
    return memory.of("kept" + use, rows, ROW_BYTES);
  }

  private void forward(Pass pass, String kernel, long x, int rows, long out, int use) {
    int blocks = Math.min((rows + ROWS - 1) / ROWS, 4 * pass.device.multiprocessors());
    ObservedNormArguments a = new ObservedNormArguments();
    a.from.set(x);
    a.to.set(out);
    a.kept.set(kept(rows, use));
    a.multiplier.set(pass.constants.at(multiplier));
    a.offset.set(pass.constants.at(offset));
    a.least.set(pass.observed(least));
    a.largest.set(pass.observed(largest));
    a.twiceChannels.set(Divisor.of(2 * channels));
    a.rows.set((long) rows);
    a.fromStride.set((long) channels);
    a.epsilon.set(node.constants().epsilon());
    a.channels.set(channels);
    a.shift.set(node.constants().shift());
    pass.grid(kernel, blocks, 1, ROWS * ROW_BYTES + 8 * channels, a);
  }

  /**
   * Straight through ({@code docs/arithmetic.md#straight-through-gradients}). Adds the gradient by
   * x to what {@code gx} holds.
   *
   * @param x codes of the forward pass
   * @param gy gradient by the output, [rows][channels]
   * @param gx address of the first row's gradient
   * @param stride numbers from row to row of {@code gx}
   * @param add whether the parameters' gradients are added to what is there
   */
  void backward(Pass pass, long x, long gy, long gx, long stride, int rows, int use, boolean add) {
    Partials partials = pass.partials(rows, 2 * channels);
    long betaPartial = partials.address() + 8L * partials.parts() * channels;
    NormBackwardArguments arguments = new NormBackwardArguments();
    arguments.from.set(x);
    arguments.kept.set(kept(rows, use));
    arguments.gradient.set(gy);
    arguments.to.set(gx);
    arguments.gamma.set(pass.parameters + 4L * gammaAt);
    arguments.gammaPartial.set(partials.address());
    arguments.betaPartial.set(betaPartial);
    arguments.rootOfChannels.set(Math.sqrt(channels));
    arguments.inputScale.set((double) inputScale);
    arguments.rows.set((long) rows);
    arguments.toStride.set(stride);
    arguments.channels.set(channels);
    arguments.rowsAPart.set(partials.rows());

    pass.warps("norm_backward", rows, arguments);
    pass.grid("norm_parameters_backward", (channels + 255) / 256, partials.parts(), 0, arguments);
    partials.sum(pass, 0, channels, channels, pass.gradients + 4L * gammaAt, 0, add);
    new Partials(betaPartial, partials.parts(), partials.rows())
        .sum(pass, 0, channels, channels, pass.gradients + 4L * betaAt, 0, add);
  }

  /** Takes what the step observed. */
  void seen(Pass pass, SeenRanges seen) {
    double min = Double.POSITIVE_INFINITY;
    double max = Double.NEGATIVE_INFINITY;
    for (int c = 0; c < channels; c++) {
      if (!node.outputOutliers().contains(c)) {
        double a = pass.observed.intAt(least, c) * factor[c] + beta[c];
        double b = pass.observed.intAt(largest, c) * factor[c] + beta[c];
        min = Math.min(min, Math.min(a, b));
        max = Math.max(max, Math.max(a, b));
      }
    }
    seen.include(node.name(), min, max);
  }

  @Override
  public void close() {
    memory.close();
  }
}
