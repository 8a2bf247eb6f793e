package org.ivit.train.device.pass;

import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.Divisor;
import org.ivit.core.cuda.Launch;
import org.ivit.core.cuda.Structure;
import org.ivit.train.device.memory.DeviceBuffers;
import org.ivit.train.device.memory.Readback;
import org.ivit.train.device.memory.Upload;
import org.ivit.train.device.product.Product;
import org.ivit.train.device.product.ProductLibrary;
import org.ivit.train.device.product.ProductPrecision;
import org.ivit.train.operator.SeenRanges;

/**
 * What the parts of a network share on the device: constants of the step, what kernels observe,
 * scratch memory, and the state of the micro-batch.
 */
public final class Pass implements AutoCloseable {
  private static final int THREADS = 256;

  /** Blocks a multiprocessor that keep it busy. */
  private static final int BLOCKS = 8;

  /** Shared memory in which the warps of a block lay down what they met, as in C++. */
  public static final int EXTREMES_BYTES = 128;

  /** Bits of extremes that nothing has widened: of ordered doubles, the largest and the least. */
  private static final long[] NO_EXTREMES = {-1L, 0L};

  public final Device device;

  /** Arrays of the step. */
  public final Upload constants;

  /** Arrays that kernels widen and the host reads at the end of the step. */
  public final Upload observed;

  /** What became of the weights of the step. */
  public final Readback channels;

  /** Grids of weights of fewer than 8 bits. */
  public final WeightGrids grids;

  /** Arrays of the micro-batch. */
  public final Upload inputs;

  public final DeviceBuffers scratch;
  public final Product product;

  /** Address of all parameters. */
  public final long parameters;

  /** Address of their gradients. */
  public final long gradients;

  /**
   * Memory of blocks that run forward again before they run back; null where each keeps its own.
   */
  public final DeviceBuffers recomputed;

  /** The block whose activations are in the recomputed memory. */
  private Object holder;

  /** Whether ranges are to be observed. */
  private boolean observing;

  /** Whether gradients are added to those of earlier micro-batches. */
  private boolean added;

  private long[] keys = {};

  private static final class FillArguments extends Structure {
    private final Field<Long> to = address();
    private final Field<Long> count = int64();
    private final Field<Integer> word = int32();
    private final Field<Integer> unused = unused();
  }

  private static final class ScaleArguments extends Structure {
    private final Field<Long> from = address();
    private final Field<Long> to = address();
    private final Field<Long> factors = address();
    private final Field<Long> pictures = int64();
    private final Field<Divisor> ofSize = divisor();
    private final Field<Divisor> ofChannels = divisor();
    private final Field<Integer> size = int32();
    private final Field<Integer> channels = int32();
    private final Field<Float> factor = float32();
    private final Field<Integer> first = int32();
  }

  private static final class ColumnSumArguments extends Structure {
    private final Field<Long> from = address();
    private final Field<Long> partial = address();
    private final Field<Long> rows = int64();
    private final Field<Long> stride = int64();
    private final Field<Integer> columns = int32();
    private final Field<Integer> rowsAPart = int32();
  }

  public Pass(
      Device device,
      long parameters,
      long gradients,
      ProductPrecision precision,
      ProductLibrary library,
      boolean recompute) {
    this.device = device;
    this.parameters = parameters;
    this.gradients = gradients;
    constants = new Upload(device);
    observed = new Upload(device);
    channels = new Readback(device);
    grids = new WeightGrids(device);
    inputs = new Upload(device);
    scratch = new DeviceBuffers(device);
    product = new Product(device, scratch, precision, library);
    recomputed = recompute ? new DeviceBuffers(device) : null;
  }

  public void beginStep(boolean observe) {
    observing = observe;
    constants.begin();
    observed.begin();
  }

  public void beginBatch(long[] pictureKeys, boolean add) {
    keys = pictureKeys;
    added = add;
    inputs.begin();
  }

  /** Takes the recomputed memory for a block's activations. */
  public void hold(Object block) {
    holder = block;
  }

  /** Whether the block's activations are where it left them. */
  public boolean holds(Object block) {
    return recomputed == null || holder == block;
  }

  boolean observing() {
    return observing;
  }

  public boolean added() {
    return added;
  }

  long[] keys() {
    return keys;
  }

  /** Extremes of doubles, empty; an offset of what is observed. */
  public int extremes() {
    return observed.longs(NO_EXTREMES);
  }

  /** Address of extremes, or 0 where nothing is observed. */
  public long observed(int offset) {
    return observing ? observed.at(offset) : 0;
  }

  /**
   * Hands on what kernels left at {@link #extremes}.
   *
   * @param scale of the values there
   */
  public void include(SeenRanges seen, String node, int extremes, double scale) {
    seen.include(
        node,
        scale * unordered(observed.longAt(extremes, 0)),
        scale * unordered(observed.longAt(extremes, 1)));
  }

  /** Extremes of integers, empty; an offset of what is observed. */
  public int integerExtremes() {
    return observed.ints(Integer.MAX_VALUE, Integer.MIN_VALUE);
  }

  /**
   * Hands on what kernels left at {@link #integerExtremes}.
   *
   * @param scale of the values there
   */
  public void includeIntegers(SeenRanges seen, String node, int extremes, double scale) {
    seen.include(node, observed.intAt(extremes, 0) * scale, observed.intAt(extremes, 1) * scale);
  }

  /** The double of ordered bits. */
  private static double unordered(long bits) {
    return Double.longBitsToDouble(bits < 0 ? bits & Long.MAX_VALUE : ~bits);
  }

  /** Launches a kernel over so many items, a thread one or several. */
  public void each(String kernel, long items, int sharedBytes, Structure arguments) {
    long blocks = (items + THREADS - 1) / THREADS;
    int most = BLOCKS * device.multiprocessors();
    grid(kernel, (int) Math.max(1, Math.min(blocks, most)), 1, sharedBytes, arguments);
  }

  /** Launches a kernel with a warp a row. */
  public void warps(String kernel, long rows, Structure arguments) {
    warps(kernel, rows, 0, arguments);
  }

  /** Launches a kernel with a warp a row, and shared memory a block. */
  public void warps(String kernel, long rows, int sharedBytes, Structure arguments) {
    int blocks = Math.toIntExact((rows * 32 + THREADS - 1) / THREADS);
    grid(kernel, blocks, 1, sharedBytes, arguments);
  }

  public void grid(String kernel, int x, int y, int sharedBytes, Structure arguments) {
    device.launch(new Launch(kernel, x, y, 1, THREADS, sharedBytes, arguments.bytes()));
  }

  /** Sets words to zero. */
  public void clear(long address, long words) {
    FillArguments a = new FillArguments();
    a.to.set(address);
    a.count.set(words);
    a.word.set(0);
    each("fill", words, 0, a);
  }

  /**
   * Numbers times a factor.
   *
   * @param count numbers written
   * @param factors address of a factor a picture, or 0
   * @param size numbers written of a picture
   * @param channels where a picture's row is spread over tokens: its length; otherwise 0
   * @param factor of all pictures
   */
  public void scale(
      long from, long to, long count, long factors, int size, int channels, float factor) {
    scale(from, to, count / size, factors, size, channels, 0, factor);
  }

  /**
   * The gradient by each of several rows of logits, of that by their mean.
   *
   * @param gradient by the mean, [pictures][classes]
   * @param of how many rows it is the mean
   * @return address of as many numbers; in scratch memory where there are several
   */
  public long partOfMean(long gradient, int pictures, int classes, int of) {
    if (of == 1) {
      return gradient;
    }
    long count = (long) pictures * classes;
    long part = scratch.of("gLogits", count, 4);
    scale(gradient, part, count, 0, classes, 0, 1f / of);
    return part;
  }

  /**
   * The gradient of a mean over tokens, spread over them.
   *
   * @param from by the mean, [pictures][channels]
   * @param to receives that by the tokens, [pictures][tokens][channels]
   * @param leading the first tokens, which take no part in the mean: 0
   */
  public void spreadMean(long from, long to, int pictures, int tokens, int leading, int channels) {
    int size = tokens * channels;
    float factor = 1f / (tokens - leading);
    scale(from, to, (long) pictures, 0, size, channels, leading * channels, factor);
  }

  private void scale(
      long from,
      long to,
      long pictures,
      long factors,
      int size,
      int channels,
      int first,
      float factor) {
    ScaleArguments a = new ScaleArguments();
    a.from.set(from);
    a.to.set(to);
    a.factors.set(factors);
    a.pictures.set(pictures);
    a.ofSize.set(Divisor.of(size));
    a.ofChannels.set(Divisor.of(Math.max(1, channels)));
    a.size.set(size);
    a.channels.set(channels);
    a.factor.set(factor);
    a.first.set(first);
    each("scale_pictures", pictures * size, 0, a);
  }

  /**
   * Sums over rows.
   *
   * @param from [rows][columns] of reals
   * @param stride reals of a row
   * @param to [columns], written or added to
   * @param add whether to add
   */
  public void columnSums(long from, long rows, long stride, int columns, long to, boolean add) {
    Partials partials = partials(rows, columns);
    columnPartials(from, rows, stride, columns, partials);
    partials.sum(this, 0, columns, columns, to, 0, add);
  }

  /** The partial sums of {@link #columnSums}. */
  public void columnPartials(long from, long rows, long stride, int columns, Partials partials) {
    ColumnSumArguments a = new ColumnSumArguments();
    a.from.set(from);
    a.partial.set(partials.address());
    a.rows.set(rows);
    a.stride.set(stride);
    a.columns.set(columns);
    a.rowsAPart.set(partials.rows());
    grid("column_sums", (columns + THREADS - 1) / THREADS, partials.parts(), 0, a);
  }

  /** Memory for partial sums over rows, that many columns. */
  public Partials partials(long rows, int columns) {
    int across = (columns + THREADS - 1) / THREADS;
    long wanted = Math.max(1, (long) BLOCKS * device.multiprocessors() / across);
    int perPart = (int) Math.max(Partials.LEAST_ROWS, (rows + wanted - 1) / wanted);
    int parts = Math.max(1, Math.toIntExact((rows + perPart - 1) / perPart));
    return new Partials(scratch.of("partials", (long) parts * columns, 8), parts, perPart);
  }

  @Override
  public void close() {
    constants.close();
    observed.close();
    channels.close();
    grids.close();
    inputs.close();
    scratch.close();
    if (recomputed != null) {
      recomputed.close();
    }
  }
}
