package org.ivit.core.engine.portable;

import java.util.Arrays;
import org.ivit.core.architecture.Block;
import org.ivit.core.arithmetic.SoftmaxTable;
import org.ivit.core.engine.portable.product.ExactProduct;
import org.ivit.core.engine.portable.product.Requantizer;
import org.ivit.core.graph.Attention;

/**
 * Attention of one head within one group of tokens, a window or the whole picture: scores, softmax
 * by table, context, for a range of queries.
 */
final class AttentionKernel {
  /** Queries at once: a long row of scores for each of them stays near the processor. */
  private static final int MOST_QUERIES = 256;

  private final int tokens;
  private final int heads;
  private final int headDim;
  private final long scoreMultiplier;
  private final long scoreHalf;
  private final int scoreShift;
  private final int[] exponentials;
  private final int rounding;
  private final int probabilityShift;
  private final int largest;
  private final boolean deferred;
  private final Requantizer context;

  /** Null where scores take no bias. */
  private final WindowScores window;

  AttentionKernel(Attention attention, Block site) {
    tokens = site.rowTokens();
    heads = attention.heads();
    headDim = attention.headDim();
    scoreMultiplier = attention.scores().multiplier();
    scoreShift = attention.scores().shift();
    scoreHalf = 1L << (scoreShift - 1);
    SoftmaxTable softmax = attention.softmax();
    exponentials = softmax.exponentials();
    deferred = softmax.deferred();
    rounding = softmax.rounding();
    probabilityShift = 32 - softmax.bits();
    largest = (1 << (softmax.bits() - 1)) - 1;
    context = new Requantizer(attention.context(), null);
    window = site.windows() == null ? null : new WindowScores(attention.position(), site.windows());
  }

  /** What one thread needs; columns are queries. */
  static final class Scratch {
    private final int queries;
    private final HeadProducts products;

    /** Scores, [key][query]. */
    final byte[] codes;

    /** Exponentials, [key][query]. */
    final int[][] numerators;

    /** Largest score of each query. */
    final int[] maximum;

    /** Sum of the exponentials of each query. */
    final int[] sum;

    Scratch(int tokens, int heads, int headDim, ExactProduct product) {
      queries = Math.min(tokens, MOST_QUERIES);
      products = new HeadProducts(tokens, queries, heads, headDim, product);
      codes = new byte[tokens * queries];
      numerators = new int[tokens][queries];
      maximum = new int[queries];
      sum = new int[queries];
    }
  }

  /**
   * @param qkv codes, [groups][tokens][3][heads][headDim]
   * @param group which group of tokens
   * @param head which head
   * @param from first query
   * @param to query after the last
   * @param out receives the head's channels of those queries, [groups][tokens][heads][headDim]
   */
  void run(byte[] qkv, int group, int head, int from, int to, byte[] out, Scratch s) {
    for (int first = from; first < to; first += s.queries) {
      queries(qkv, group, head, first, Math.min(to, first + s.queries), out, s);
    }
  }

  private void queries(byte[] qkv, int group, int head, int from, int to, byte[] out, Scratch s) {
    int n = to - from;
    int channels = heads * headDim;
    int first = group * tokens * channels;
    s.products.multiplyScores(qkv, 3 * first, head, from, to);
    float[][] scores = s.products.scores;
    int[][] before = s.products.before;
    Arrays.fill(s.maximum, 0, n, Byte.MIN_VALUE);
    Arrays.fill(s.sum, 0, n, 0);
    for (int t = 0; t < tokens; t++) {
      scores(scores[t], before == null ? null : before[t], n, s.codes, t * n, s.maximum);
    }
    if (window == null) {
      for (int t = 0; t < tokens; t++) {
        numerators(s.codes, t * n, n, s.maximum, s.numerators[t], s.sum);
      }
    } else {
      window.run(s, group, head, from, n, exponentials);
    }
    int[] factor = s.sum;
    for (int i = 0; i < n; i++) {
      factor[i] = Integer.MAX_VALUE / s.sum[i];
    }
    for (int t = 0; t < tokens; t++) {
      if (deferred) {
        widen(s.numerators[t], n, scores[t]);
      } else {
        probabilities(s.numerators[t], factor, n, scores[t]);
      }
    }
    if (deferred) {
      s.products.multiplyByteContext(qkv, 3 * first, head, n);
    } else {
      s.products.multiplyContext(qkv, 3 * first, head, n);
    }
    for (int d = 0; d < headDim; d++) {
      int channel = head * headDim + d;
      if (deferred) {
        normalise(s.products.context[d], s.products.contextBefore(d), factor, n);
      }
      context.columnTo8(
          channel, n, s.products.context[d], out, first + from * channels + channel, channels);
    }
  }

  private void scores(float[] acc, int[] before, int n, byte[] codes, int at, int[] maximum) {
    for (int i = 0; i < n; i++) {
      int z = (int) acc[i] + (before == null ? 0 : before[i]);
      long v = (z * scoreMultiplier + scoreHalf) >> scoreShift;
      int code = (int) Math.max(Byte.MIN_VALUE, Math.min(Byte.MAX_VALUE, v));
      codes[at + i] = (byte) code;
      maximum[i] = Math.max(maximum[i], code);
    }
  }

  private void numerators(byte[] codes, int at, int n, int[] maximum, int[] out, int[] sum) {
    for (int i = 0; i < n; i++) {
      int e = exponentials[maximum[i] - codes[at + i]];
      out[i] = e;
      sum[i] += e;
    }
  }

  private static void widen(int[] numerators, int n, float[] out) {
    for (int i = 0; i < n; i++) {
      out[i] = numerators[i];
    }
  }

  /** The results, below 2^23, are exact in floating point. */
  private static void normalise(float[] acc, int[] before, int[] factor, int n) {
    for (int i = 0; i < n; i++) {
      int z = (int) acc[i] + (before == null ? 0 : before[i]);
      acc[i] = SoftmaxTable.normalise(z, factor[i]);
    }
  }

  /** The products fit 32 unsigned bits. */
  private void probabilities(int[] numerators, int[] factor, int n, float[] out) {
    for (int i = 0; i < n; i++) {
      out[i] = Math.min((numerators[i] * factor[i] + rounding) >>> probabilityShift, largest);
    }
  }
}
