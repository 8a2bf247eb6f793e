package org.ivit.train.operator.integer;

import java.util.Objects;
import org.ivit.core.architecture.Block;
import org.ivit.core.arithmetic.AttentionScales;
import org.ivit.core.arithmetic.DyadicVector;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.arithmetic.SoftmaxTable;
import org.ivit.core.graph.Attention;
import org.ivit.core.graph.PositionBias;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.Gemm;
import org.ivit.train.memory.NativeRows;
import org.ivit.train.memory.RealMatrix;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.ChannelRuns;
import org.ivit.train.operator.SeenRanges;
import org.ivit.train.operator.floating.FloatAttention;
import org.ivit.train.operator.floating.RelativePositions;

/**
 * Multi-head self-attention of the quantized network within one group of tokens, a window or the
 * whole picture: qkv codes to context codes. The products run on the float GEMM: a score sums at
 * most headDim·2^14, and a row of probabilities never sums to more than 2^(b−1) + tokens/2, so a
 * context sum stays below 2^24 up to 65,536 tokens. Where softmax leaves its division to the
 * context, that holds of {@value #BYTES} tokens at a time.
 */
final class QuantAttention {
  /** Most products of a code and an unsigned byte whose sum stays below 2^24. */
  private static final int BYTES = 512;

  private final String name;
  private final RelativePositions positions;
  private final int tokens;
  private final int dim;
  private final int heads;
  private final int headDim;
  private final FloatAttention gradient;
  private final int[] noBias;
  private final int[] contextShift;
  private final long[] contextHalf;
  private Attention node;
  private float qkvScale;

  /**
   * @param site name and sizes of the block
   * @param positions relative positions; null where there is no window
   */
  QuantAttention(Block site, RelativePositions positions) {
    this.name = site.node("attn");
    this.positions = positions;
    this.tokens = site.rowTokens();
    this.dim = site.dim();
    this.heads = site.heads();
    this.headDim = site.headDim();
    this.gradient = new FloatAttention(site, positions);
    this.noBias = new int[dim];
    this.contextShift = new int[dim];
    this.contextHalf = new long[dim];
  }

  /** Takes the node of this pass. */
  void prepare(Attention built, float scale) {
    node = built;
    qkvScale = scale;
    for (int c = 0; c < dim; c++) {
      contextShift[c] = built.context().shift()[c];
      contextHalf[c] = 1L << (contextShift[c] - 1);
    }
  }

  Attention node() {
    return node;
  }

  /** Numbers that the probabilities of a group take. */
  int probabilities() {
    return gradient.probabilities();
  }

  /**
   * Takes groups that lie one after the other.
   *
   * @param qkv codes as numbers, [groups][tokens][3·dim]
   * @param p receives the probabilities' codes as numbers, [groups][heads][tokens][tokens]
   * @param context receives 8-bit codes, [groups][tokens][dim]
   * @param seen receives the values, or null
   */
  void forward(
      Gemm gemm, Reals qkv, Reals p, byte[] context, int groups, SeenRanges seen, Buffers scratch) {
    int size = tokens * dim;
    for (int i = 0; i < groups; i++) {
      int pFrom = i * probabilities();
      forward(gemm, qkv, i * 3 * size, p, pFrom, context, i * size, i, seen, scratch);
    }
  }

  /**
   * @param qkv codes as numbers, [tokens][3·dim] from {@code qkvFrom}
   * @param p receives the probabilities' codes as numbers, [heads][tokens][tokens] from {@code
   *     pFrom}
   * @param context receives 8-bit codes, [tokens][dim] from {@code at}
   * @param group number of the group, counted through the pictures
   * @param seen receives the values, or null
   */
  void forward(
      Gemm gemm,
      Reals qkv,
      int qkvFrom,
      Reals p,
      int pFrom,
      byte[] context,
      int at,
      int group,
      SeenRanges seen,
      Buffers scratch) {
    int stride = 3 * dim;
    int square = tokens * tokens;
    Reals product = scratch.reals("attention.product", Math.max(square, tokens * dim));
    int[] acc = scratch.ints("attention.acc", Math.max(square, tokens * dim));
    byte[] scores = scratch.bytes("attention.scores", square);
    short[] probabilities = scratch.shorts("attention.probabilities", square);
    boolean isNative = NativeRows.serves(qkv);
    for (int head = 0; head < heads; head++) {
      int q = qkvFrom + head * headDim;
      RealMatrix queries = new RealMatrix(qkv, q, tokens, headDim, stride);
      RealMatrix keys = new RealMatrix(qkv, q + dim, tokens, headDim, stride);
      gemm.multiply(1, queries, keys.transpose(), 0, new RealMatrix(product, 0, tokens, tokens));
      if (isNative) {
        nativeScores(product, scores, square, seen);
      } else {
        product.getInts(0, acc, 0, square);
        scores(acc, scores, square, seen);
      }
      boolean[] mask = null;
      if (positions != null) {
        bias(scores, head, seen);
        mask = positions.mask(group);
      }
      if (isNative) {
        SoftmaxTable softmax = node.softmax();
        NativeRows.probabilities(
            scores,
            tokens,
            tokens,
            mask,
            softmax.exponentials(),
            softmax.rounding(),
            softmax.bits(),
            softmax.deferred(),
            NativeRows.address(p, pFrom + head * square, square));
        continue;
      }
      for (int row = 0; row < square; row += tokens) {
        node.softmax().row(scores, row, tokens, mask, row, probabilities, row);
      }
      p.put(pFrom + head * square, probabilities, 0, square);
    }
    int most = node.softmax().deferred() ? BYTES : tokens;
    for (int from = 0; from < tokens; from += most) {
      int keys = Math.min(most, tokens - from);
      for (int head = 0; head < heads; head++) {
        int values = qkvFrom + from * stride + 2 * dim + head * headDim;
        gemm.multiply(
            1,
            new RealMatrix(p, pFrom + head * square + from, tokens, keys, tokens),
            new RealMatrix(qkv, values, keys, headDim, stride),
            0,
            new RealMatrix(product, head * headDim, tokens, headDim, dim));
      }
      if (from == 0 && isNative && most >= tokens) {
        nativeContext(product, p, pFrom, context, at, seen, scratch);
        return;
      }
      if (from == 0) {
        product.getInts(0, acc, 0, tokens * dim);
      } else {
        add(product, acc, scratch.ints("attention.part", tokens * dim), tokens * dim);
      }
    }
    if (node.softmax().deferred()) {
      normalise(acc, p, pFrom, scratch);
    }
    context(acc, context, at, seen);
  }

  private void nativeContext(
      Reals product, Reals p, int pFrom, byte[] out, int at, SeenRanges seen, Buffers scratch) {
    int size = tokens * dim;
    Objects.checkFromIndexSize(at, size, out.length);
    long address = NativeRows.address(product, 0, size);
    if (node.softmax().deferred()) {
      NativeRows.divideSums(
          NativeRows.address(p, pFrom, probabilities()), heads, tokens, headDim, address);
    }
    int[] min = SeenRanges.smallest(seen, dim, scratch);
    int[] max = SeenRanges.largest(seen, dim, scratch);
    byte[] codes = at == 0 ? out : scratch.bytes("attention.context", size);
    NativeRows.requantize8(
        address,
        tokens,
        dim,
        noBias,
        node.context().multiplier(),
        contextHalf,
        contextShift,
        min,
        max,
        codes);
    if (codes != out) {
      System.arraycopy(codes, 0, out, at, size);
    }
    if (seen != null) {
      include(min, max, seen);
    }
  }

  private void include(int[] min, int[] max, SeenRanges seen) {
    int least = Integer.MAX_VALUE;
    int largest = Integer.MIN_VALUE;
    for (int c = 0; c < dim; c++) {
      if (!node.contextOutliers().contains(c)) {
        least = Math.min(least, min[c]);
        largest = Math.max(largest, max[c]);
      }
    }
    if (least <= largest) {
      double scale = AttentionScales.context(qkvScale, node.softmax().contextBits());
      seen.include(name + ".context", least * scale, largest * scale);
    }
  }

  private static void add(Reals product, int[] acc, int[] part, int n) {
    product.getInts(0, part, 0, n);
    for (int i = 0; i < n; i++) {
      acc[i] += part[i];
    }
  }

  private void normalise(int[] acc, Reals p, int pFrom, Buffers scratch) {
    int[] row = scratch.ints("attention.row", tokens);
    for (int head = 0; head < heads; head++) {
      for (int query = 0; query < tokens; query++) {
        p.getInts(pFrom + (head * tokens + query) * tokens, row, 0, tokens);
        int sum = 0;
        for (int key = 0; key < tokens; key++) {
          sum += row[key];
        }
        int factor = SoftmaxTable.factor(sum);
        int at = query * dim + head * headDim;
        for (int i = at; i < at + headDim; i++) {
          acc[i] = SoftmaxTable.normalise(acc[i], factor);
        }
      }
    }
  }

  private void nativeScores(Reals product, byte[] scores, int n, SeenRanges seen) {
    int[] extremes = new int[2];
    NativeRows.scores(
        NativeRows.address(product, 0, n),
        n,
        node.scores().multiplier(),
        node.scores().shift(),
        scores,
        extremes);
    if (seen != null) {
      double scale = AttentionScales.scores(qkvScale, headDim);
      seen.include(name + ".scores", extremes[0] * scale, extremes[1] * scale);
    }
  }

  private void scores(int[] acc, byte[] scores, int n, SeenRanges seen) {
    int m = node.scores().multiplier();
    int e = node.scores().shift();
    long half = 1L << (e - 1);
    int min = Integer.MAX_VALUE;
    int max = Integer.MIN_VALUE;
    for (int i = 0; i < n; i++) {
      min = Math.min(min, acc[i]);
      max = Math.max(max, acc[i]);
      scores[i] = Quantizer.clamp8(((long) acc[i] * m + half) >> e);
    }
    if (seen != null) {
      double scale = AttentionScales.scores(qkvScale, headDim);
      seen.include(name + ".scores", min * scale, max * scale);
    }
  }

  private void bias(byte[] scores, int head, SeenRanges seen) {
    PositionBias position = node.position();
    int[] index = positions.index();
    if (seen != null) {
      observeBiased(position, index, scores, head, seen);
    }
    for (int i = 0; i < index.length; i++) {
      scores[i] = position.add(scores[i], index[i], head);
    }
  }

  private void observeBiased(
      PositionBias position, int[] index, byte[] scores, int head, SeenRanges seen) {
    double scale = node.scoresScale();
    double tableScale = position.tableScale();
    double min = Double.POSITIVE_INFINITY;
    double max = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < index.length; i++) {
      double value = scores[i] * scale + position.table()[index[i] * heads + head] * tableScale;
      min = Math.min(min, value);
      max = Math.max(max, value);
    }
    seen.include(position.name(), min, max);
  }

  private void context(int[] acc, byte[] out, int at, SeenRanges seen) {
    DyadicVector requantization = node.context();
    int[] m = requantization.multiplier();
    byte[] e = requantization.shift();
    for (int r = 0; r < tokens * dim; r += dim) {
      for (int c = 0; c < dim; c++) {
        out[at + r + c] = Quantizer.clamp8(((long) acc[r + c] * m[c] + (1L << (e[c] - 1))) >> e[c]);
      }
    }
    if (seen != null) {
      observeContext(acc, seen);
    }
  }

  private void observeContext(int[] acc, SeenRanges seen) {
    ChannelRuns runs = new ChannelRuns(dim, node.contextOutliers());
    int min = Integer.MAX_VALUE;
    int max = Integer.MIN_VALUE;
    for (int r = 0; r < tokens * dim; r += dim) {
      for (int run = 0; run < runs.count(); run++) {
        int end = r + runs.to(run);
        for (int i = r + runs.from(run); i < end; i++) {
          min = Math.min(min, acc[i]);
          max = Math.max(max, acc[i]);
        }
      }
    }
    if (min <= max) {
      double scale = AttentionScales.context(qkvScale, node.softmax().contextBits());
      seen.include(name + ".context", min * scale, max * scale);
    }
  }

  /** Codes of form {@code deferred} to the probabilities that they stand for, in place. */
  private void divideBySums(Reals p, int pFrom, Buffers buffers) {
    double[] row = buffers.doubles("attention.row", tokens);
    for (int at = pFrom; at < pFrom + probabilities(); at += tokens) {
      p.get(at, row, 0, tokens);
      double sum = 0;
      for (int i = 0; i < tokens; i++) {
        sum += row[i];
      }
      for (int i = 0; i < tokens; i++) {
        row[i] /= sum;
      }
      p.put(at, row, 0, tokens);
    }
  }

  /** {@link #backward(Gemm, Reals, int, Reals, int, Reals, int, Reals, int, Buffers)} of groups. */
  void backward(
      Gemm gemm, Reals qkv, Reals p, Reals gContext, Reals gQkv, int groups, Buffers scratch) {
    int size = tokens * dim;
    for (int i = 0; i < groups; i++) {
      int pFrom = i * probabilities();
      backward(gemm, qkv, i * 3 * size, p, pFrom, gContext, i * size, gQkv, i * 3 * size, scratch);
    }
  }

  /**
   * Straight through ({@code docs/arithmetic.md#straight-through-gradients}), with the dequantized
   * probabilities, queries, keys and values. The codes in {@code p} may be lost.
   */
  void backward(
      Gemm gemm,
      Reals qkv,
      int qkvFrom,
      Reals p,
      int pFrom,
      Reals gContext,
      int gFrom,
      Reals gQkv,
      int gQkvFrom,
      Buffers buffers) {
    boolean deferred = node.softmax().deferred();
    if (deferred && NativeRows.serves(p)) {
      NativeRows.probabilitiesOfCodes(
          NativeRows.address(p, pFrom, probabilities()), heads * tokens, tokens);
    } else if (deferred) {
      divideBySums(p, pFrom, buffers);
    }
    gradient.backward(
        gemm,
        qkv,
        qkvFrom,
        qkvScale,
        p,
        pFrom,
        deferred ? 1 : Math.scalb(1.0, 1 - node.softmax().bits()),
        gContext,
        gFrom,
        gQkv,
        gQkvFrom,
        buffers);
  }
}
