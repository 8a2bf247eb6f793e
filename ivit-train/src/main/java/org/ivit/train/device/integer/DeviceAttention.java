package org.ivit.train.device.integer;

import java.util.Arrays;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Windows;
import org.ivit.core.arithmetic.AttentionScales;
import org.ivit.core.arithmetic.SoftmaxTable;
import org.ivit.core.cuda.Divisor;
import org.ivit.core.cuda.Structure;
import org.ivit.core.engine.cuda.layer.AttentionArguments;
import org.ivit.core.engine.cuda.layer.AttentionGrid;
import org.ivit.core.engine.cuda.layer.Channels;
import org.ivit.core.engine.cuda.layer.WindowTables;
import org.ivit.core.graph.Attention;
import org.ivit.core.graph.PositionBias;
import org.ivit.train.device.memory.DeviceBuffers;
import org.ivit.train.device.pass.ChannelGather;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.device.pass.PositionPairs;
import org.ivit.train.device.pass.SoftmaxGradient;
import org.ivit.train.device.product.DeviceHeadProducts;
import org.ivit.train.device.product.Matrix;
import org.ivit.train.device.product.Product;
import org.ivit.train.operator.SeenRanges;

/** Multi-head self-attention on the device, between the codes of qkv and those of the context. */
final class DeviceAttention implements AutoCloseable {
  private final Block site;
  private final AttentionGrid grid;
  private final int tokens;
  private final int dim;
  private final int heads;
  private final int headDim;
  private final int positionsAt;
  private final DeviceBuffers memory;
  private Attention node;
  private float qkvScale;
  private Channels channels;
  private int records;
  private int exponentials;
  private int terms;
  private int biases;
  private int codes;
  private int scores;
  private int biased;
  private int least;
  private int largest;

  private static final class ObservedAttentionArguments extends Structure {
    private final Field<AttentionArguments> attention = structure(new AttentionArguments());
    private final Field<Long> probabilities = address();
    private final Field<Long> scores = address();
    private final Field<Long> least = address();
    private final Field<Long> largest = address();
    private final Field<Long> biased = address();
    private final Field<Long> positions = address();
    private final Field<Double> scoreScale = float64();
    private final Field<Double> positionScale = float64();
  }

  /**
   * @param pass what parts share
   * @param site sizes
   * @param positionsAt index of the relative position table among the network's parameters; not
   *     used where there are no windows
   */
  DeviceAttention(Pass pass, Block site, int positionsAt) {
    this.site = site;
    this.grid = new AttentionGrid(site);
    this.tokens = site.rowTokens();
    this.dim = site.dim();
    this.heads = site.heads();
    this.headDim = site.headDim();
    this.positionsAt = positionsAt;
    this.memory = new DeviceBuffers(pass.device);
    grid.check(pass.device);
  }

  Attention node() {
    return node;
  }

  /** Takes the node of this step. */
  void prepare(Pass pass, Attention built, float scale) {
    node = built;
    qkvScale = scale;
    int[] order = grid.columns(1);
    channels = Channels.of(order, order.length, null, built.context(), false);
    records = pass.constants.ints(channels.records());
    exponentials = pass.constants.ints(built.softmax().exponentials());
    if (site.windows() != null) {
      prepareWindows(pass, built.position(), site.windows());
    }
    scores = pass.integerExtremes();
    biased = pass.extremes();
    int[] extremes = new int[dim];
    Arrays.fill(extremes, Integer.MAX_VALUE);
    least = pass.observed.ints(extremes);
    Arrays.fill(extremes, Integer.MIN_VALUE);
    largest = pass.observed.ints(extremes);
  }

  private void prepareWindows(Pass pass, PositionBias position, Windows windows) {
    terms = pass.constants.ints(position.scores());
    biases = pass.constants.ints(position.biases(windows));
    int[] relative = windows.relativeIndex();
    byte[] table = new byte[heads * relative.length];
    for (int i = 0; i < table.length; i++) {
      int head = i / relative.length;
      table[i] = position.table()[relative[i % relative.length] * heads + head];
    }
    codes = pass.constants.bytes(table);
  }

  /** Probabilities of so many pictures. */
  long probabilities(int pictures) {
    return (long) pictures * site.groups() * heads * tokens * tokens;
  }

  /**
   * @param qkv address of codes, [groups·tokens][3·dim]
   * @param probabilities receives 16-bit codes, [groups][heads][query][key]
   * @param context receives 8-bit codes, [groups·tokens][dim]
   */
  void forward(Pass pass, long qkv, long probabilities, int pictures, long context) {
    int groups = pictures * site.groups();
    Windows windows = site.windows();
    boolean inWindows = windows != null;
    SoftmaxTable softmax = node.softmax();
    AttentionArguments attention = new AttentionArguments();
    attention.qkv.set(padded(pass, qkv, groups));
    attention.context.set(context);
    attention.place.set(0L);
    attention.channels.set(pass.constants.at(records));
    attention.exponentials.set(pass.constants.at(exponentials));
    attention.scoreTerms.set(inWindows ? pass.constants.at(terms) : 0);
    attention.biases.set(inWindows ? pass.constants.at(biases) : 0);
    attention.masks.set(
        inWindows && windows.shifted()
            ? memory.constants("masks", () -> WindowTables.masks(windows))
            : 0);
    attention.scores(node.scores());
    attention.windowDivisor.set(Divisor.of(site.groups()));
    attention.windows.set(site.groups());
    attention.tokens.set(tokens);
    attention.queries.set(tokens);
    attention.heads.set(heads);
    attention.headDim.set(headDim);
    attention.paddedDim.set(grid.paddedDim());
    attention.contextStride.set(dim);
    attention.maskWords.set(inWindows ? WindowTables.words(windows) : 0);
    attention.rounding.set(softmax.rounding());
    attention.wide.set(channels.wide() ? 1 : 0);
    ObservedAttentionArguments a = new ObservedAttentionArguments();
    a.attention.set(attention);
    a.probabilities.set(probabilities);
    a.scores.set(pass.observed(scores));
    a.least.set(pass.observed(least));
    a.largest.set(pass.observed(largest));
    a.biased.set(pass.observed(biased));
    a.positions.set(inWindows ? pass.constants.at(codes) : 0);
    a.scoreScale.set((double) node.scoresScale());
    a.positionScale.set(inWindows ? node.position().tableScale() : 0.0);
    String kernel = "attention_observed_" + grid.kernel(softmax, pass.device);
    pass.device.launch(grid.launch(pass.device, kernel, groups, tokens, attention, a));
  }

  /** Heads padded to whole steps of a product. */
  private long padded(Pass pass, long qkv, int groups) {
    if (grid.paddedDim() == headDim) {
      return qkv;
    }
    long rows = (long) groups * tokens;
    int length = 3 * heads * grid.paddedDim();
    long padded = pass.scratch.of("heads", rows * length, 1);
    long source = memory.constants("source", () -> grid.columns(3));
    new ChannelGather(source, 3 * dim, length).run(pass, qkv, padded, rows, rows);
    return padded;
  }

  /**
   * Straight through ({@code docs/arithmetic.md#straight-through-gradients}), with the dequantized
   * probabilities, queries, keys and values.
   *
   * @param qkv codes of the forward pass
   * @param p codes of the probabilities
   * @param gContext gradient by the context, [groups·tokens][dim]
   * @param gQkv receives that by qkv, [groups·tokens][3·dim]
   */
  void backward(Pass pass, long qkv, long p, long gContext, long gQkv, int pictures) {
    int groups = pictures * site.groups();
    DeviceHeadProducts products = DeviceHeadProducts.of(pass.product, site, groups);
    boolean deferred = node.softmax().deferred();
    float pScale = deferred ? 1 : Math.scalb(1f, 1 - node.softmax().bits());
    long gradient = pass.scratch.of("gScores", probabilities(pictures), 4);
    Matrix byScores = products.scores(gradient);
    Matrix byContext = products.context(gContext);
    Matrix byValues = products.third(gQkv + 8L * dim);
    long rows = (long) groups * heads * tokens;

    SoftmaxGradient softmax =
        new SoftmaxGradient(node.softmax(), p, gradient, pScale, rows, tokens);
    if (deferred) {
      // The gradient's memory holds the probabilities until their product is taken.
      softmax.values(pass);
      products.toKeys(Product.Kind.TN_REAL_REAL, 1, byScores, byContext, byValues);
    } else {
      products.toKeys(Product.Kind.TN_CODE16_REAL, pScale, products.scores(p), byContext, byValues);
    }
    Matrix values = products.third(qkv + 2L * dim);
    products.toScores(Product.Kind.NT_REAL_CODE8, qkvScale, byContext, values, byScores);
    softmax.backward(pass);
    if (site.windows() != null) {
      positions(pass, gradient, groups);
    }
    float scale = (float) (qkvScale / Math.sqrt(headDim));
    Matrix keys = products.third(qkv + dim);
    products.toQueries(Product.Kind.NN_REAL_CODE8, scale, byScores, keys, products.third(gQkv));
    Matrix queries = products.third(qkv);
    products.toKeys(
        Product.Kind.TN_REAL_CODE8, scale, byScores, queries, products.third(gQkv + 4L * dim));
  }

  private void positions(Pass pass, long gradient, int groups) {
    PositionPairs.backward(
        pass,
        site.windows(),
        heads,
        groups,
        gradient,
        memory.constants("first", () -> PositionPairs.of(site.windows()).first()),
        memory.constants("pairs", () -> PositionPairs.of(site.windows()).pairs()),
        pass.gradients + 4L * positionsAt);
  }

  /** Takes what the step observed. */
  void seen(Pass pass, SeenRanges seen) {
    double scale = AttentionScales.scores(qkvScale, headDim);
    pass.includeIntegers(seen, node.name() + ".scores", scores, scale);
    if (site.windows() != null) {
      pass.include(seen, node.position().name(), biased, 1);
    }
    int min = Integer.MAX_VALUE;
    int max = Integer.MIN_VALUE;
    for (int c = 0; c < dim; c++) {
      if (!node.contextOutliers().contains(c)) {
        min = Math.min(min, pass.observed.intAt(least, c));
        max = Math.max(max, pass.observed.intAt(largest, c));
      }
    }
    if (min <= max) {
      double context = AttentionScales.context(qkvScale, node.softmax().contextBits());
      seen.include(node.name() + ".context", min * context, max * context);
    }
  }

  @Override
  public void close() {
    memory.close();
  }
}
