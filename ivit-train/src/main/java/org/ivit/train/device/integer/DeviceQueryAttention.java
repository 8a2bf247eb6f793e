package org.ivit.train.device.integer;

import java.util.Arrays;
import org.ivit.core.architecture.AttentionPooling;
import org.ivit.core.arithmetic.AttentionScales;
import org.ivit.core.arithmetic.SoftmaxTable;
import org.ivit.core.cuda.Launch;
import org.ivit.core.cuda.Structure;
import org.ivit.core.engine.cuda.layer.Channels;
import org.ivit.core.engine.cuda.layer.QueryAttentionArguments;
import org.ivit.core.graph.QueryAttention;
import org.ivit.train.device.pass.AxisSwap;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.device.pass.SoftmaxGradient;
import org.ivit.train.device.product.DeviceHeadProducts;
import org.ivit.train.device.product.Matrix;
import org.ivit.train.device.product.Product;
import org.ivit.train.operator.SeenRanges;

/** Attention of one query on the device, between codes of scores and values and the context's. */
final class DeviceQueryAttention {
  private static final int THREADS = 128;

  /** Bytes of shared memory before the probabilities. */
  private static final int REDUCED_BYTES = 32;

  private final AttentionPooling site;
  private QueryAttention node;
  private float valuesScale;
  private Channels channels;
  private int records;
  private int exponentials;
  private int least;
  private int largest;

  private static final class ObservedQueryArguments extends Structure {
    private final Field<QueryAttentionArguments> attention =
        structure(new QueryAttentionArguments());
    private final Field<Long> probabilities = address();
    private final Field<Long> least = address();
    private final Field<Long> largest = address();
  }

  DeviceQueryAttention(AttentionPooling site) {
    this.site = site;
  }

  /**
   * Takes the node of this step.
   *
   * @param scale of the values
   */
  void prepare(Pass pass, QueryAttention built, float scale) {
    node = built;
    valuesScale = scale;
    int[] order = new int[site.dim()];
    Arrays.setAll(order, c -> c);
    channels = Channels.of(order, order.length, null, built.context(), false);
    records = pass.constants.ints(channels.records());
    exponentials = pass.constants.ints(built.softmax().exponentials());
    int[] extremes = new int[site.dim()];
    Arrays.fill(extremes, Integer.MAX_VALUE);
    least = pass.observed.ints(extremes);
    Arrays.fill(extremes, Integer.MIN_VALUE);
    largest = pass.observed.ints(extremes);
  }

  /** Probabilities of so many pictures. */
  long probabilities(int pictures) {
    return (long) pictures * site.heads() * site.tokens();
  }

  /**
   * @param scores address of codes, [pictures·tokens][heads]
   * @param values address of codes, [pictures·tokens][dim]
   * @param probabilities receives 16-bit codes, [pictures][heads][tokens]
   * @param context receives 8-bit codes, [pictures][dim]
   */
  void forward(
      Pass pass, long scores, long values, long probabilities, int pictures, long context) {
    SoftmaxTable softmax = node.softmax();
    QueryAttentionArguments attention = new QueryAttentionArguments();
    attention.scores.set(scores);
    attention.values.set(values);
    attention.context.set(context);
    attention.place.set(0L);
    attention.channels.set(pass.constants.at(records));
    attention.exponentials.set(pass.constants.at(exponentials));
    attention.tokens.set(site.tokens());
    attention.headDim.set(site.headDim());
    attention.scoreStride.set(site.heads());
    attention.valueStride.set(site.dim());
    attention.contextStride.set(site.dim());
    attention.rounding.set(softmax.rounding());
    attention.bits.set(softmax.bits());
    attention.deferred.set(softmax.deferred() ? 1 : 0);
    attention.wide.set(channels.wide() ? 1 : 0);
    ObservedQueryArguments a = new ObservedQueryArguments();
    a.attention.set(attention);
    a.probabilities.set(probabilities);
    a.least.set(pass.observed(least));
    a.largest.set(pass.observed(largest));
    pass.device.launch(
        new Launch(
            "query_attention_observed",
            site.heads(),
            pictures,
            1,
            THREADS,
            REDUCED_BYTES + Short.BYTES * site.tokens(),
            a.bytes()));
  }

  /**
   * Straight through ({@code docs/arithmetic.md#straight-through-gradients}), with the dequantized
   * probabilities and values.
   *
   * @param values codes of the forward pass
   * @param p codes of the probabilities
   * @param gContext gradient by the context, [pictures][dim]
   * @param gScores receives that by the scores, [pictures·tokens][heads]
   * @param gValues receives that by the values, [pictures·tokens][dim]
   */
  void backward(
      Pass pass, long values, long p, long gContext, long gScores, long gValues, int pictures) {
    DeviceHeadProducts products = DeviceHeadProducts.of(pass.product, site, pictures);
    boolean deferred = node.softmax().deferred();
    float pScale = deferred ? 1 : Math.scalb(1f, 1 - node.softmax().bits());
    long gradient = pass.scratch.of("gScores", probabilities(pictures), 4);
    Matrix byScores = products.scores(gradient);
    Matrix byContext = products.context(gContext);
    Matrix byValues = products.values(gValues);
    long rows = (long) pictures * site.heads();
    SoftmaxGradient softmax =
        new SoftmaxGradient(node.softmax(), p, gradient, pScale, rows, site.tokens());
    if (deferred) {
      // The gradient's memory holds the probabilities until their product is taken.
      softmax.values(pass);
      products.toKeys(Product.Kind.TN_REAL_REAL, 1, byScores, byContext, byValues);
    } else {
      products.toKeys(Product.Kind.TN_CODE16_REAL, pScale, products.scores(p), byContext, byValues);
    }
    products.toScores(
        Product.Kind.NT_REAL_CODE8, valuesScale, byContext, products.values(values), byScores);
    softmax.backward(pass);
    AxisSwap.run(pass, gradient, gScores, pictures, site.heads(), site.tokens());
  }

  /** Takes what the step observed. */
  void seen(Pass pass, SeenRanges seen) {
    int min = Integer.MAX_VALUE;
    int max = Integer.MIN_VALUE;
    for (int c = 0; c < site.dim(); c++) {
      if (!node.contextOutliers().contains(c)) {
        min = Math.min(min, pass.observed.intAt(least, c));
        max = Math.max(max, pass.observed.intAt(largest, c));
      }
    }
    if (min <= max) {
      double scale = AttentionScales.context(valuesScale, node.softmax().contextBits());
      seen.include(site.context().name(), min * scale, max * scale);
    }
  }
}
