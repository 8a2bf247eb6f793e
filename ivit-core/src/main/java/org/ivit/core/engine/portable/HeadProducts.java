package org.ivit.core.engine.portable;

import org.ivit.core.engine.portable.product.ExactProduct;

/**
 * The two products of one head of attention for a range of queries, with the query as the inner,
 * vectorised index: sums [key][query], then [channel][query]. One thread's scratch; grows to the
 * largest head asked for.
 */
final class HeadProducts {
  private final ExactProduct product;
  private final int tokens;
  private final int queryCount;
  private final int headDim;
  private final int stride;
  private final int part;

  private final float[][] queries;
  private final float[] keys;
  private final float[] values;

  /** A matrix of keys and queries; keys past the tokens stay zero. */
  private final float[][] probabilities;

  private final int width;
  private final int length;

  /** [key][query]: scores, then what {@link #loadProbabilities} takes. */
  final float[][] scores;

  /** [channel][query]. */
  final float[][] context;

  /** The part of the scores that does not fit an exact sum, or null where all does. */
  final int[][] before;

  private int[][] contextBefore;

  /**
   * @param tokens number of tokens
   * @param queryCount most queries at once
   * @param heads number of heads
   * @param headDim channels of a head
   * @param product multiplies
   */
  HeadProducts(int tokens, int queryCount, int heads, int headDim, ExactProduct product) {
    this.product = product;
    this.tokens = tokens;
    this.queryCount = queryCount;
    this.headDim = headDim;
    this.part = heads * headDim;
    this.stride = 3 * part;
    this.width = ExactProduct.padded(headDim);
    this.length = ExactProduct.padded(tokens);
    this.queries = product.matrix(width, queryCount);
    this.keys = new float[tokens * width];
    this.values = new float[headDim * length];
    this.probabilities = product.matrix(length, queryCount);
    this.scores = new float[tokens][product.width(queryCount)];
    this.context = new float[headDim][product.width(queryCount)];
    this.before = headDim > ExactProduct.CODES ? new int[tokens][queryCount] : null;
  }

  /**
   * Q·Kᵀ: fills {@link #scores} and, for very wide heads, {@link #before}.
   *
   * @param qkv codes, [tokens][3][heads][headDim] from {@code offset}
   * @param from first query, which becomes column 0
   * @param to query after the last
   */
  void multiplyScores(byte[] qkv, int offset, int head, int from, int to) {
    int q = offset + head * headDim;
    int k = q + part;
    float[] row = scores[0];
    for (int d = 0; d < headDim; d++) {
      for (int i = from; i < to; i++) {
        row[i - from] = qkv[q + i * stride + d];
      }
      product.setRow(queries, d, row, to - from);
    }
    for (int t = 0; t < tokens; t++) {
      for (int d = 0; d < headDim; d++) {
        keys[t * width + d] = qkv[k + t * stride + d];
      }
    }
    int n = to - from;
    for (int start = 0; start < width; start += ExactProduct.CODES) {
      int part = Math.min(ExactProduct.CODES, width - start);
      product.multiply(scores, tokens, n, queries, start, part, keys, start, width);
      if (start + part < width) {
        for (int t = 0; t < tokens; t++) {
          for (int i = 0; i < n; i++) {
            before[t][i] = (start == 0 ? 0 : before[t][i]) + (int) scores[t][i];
          }
        }
      }
    }
  }

  /**
   * P·V: fills {@link #context} from {@link #scores}, which then hold probabilities. Each column's
   * sum is at most 2^17, so the products are exact.
   *
   * @param qkv codes, [tokens][3][heads][headDim] from {@code offset}
   * @param n number of queries
   */
  void multiplyContext(byte[] qkv, int offset, int head, int n) {
    loadValues(qkv, offset, head);
    loadProbabilities(n);
    product.multiply(context, headDim, n, probabilities, 0, length, values, 0, length);
  }

  /**
   * The same with any unsigned bytes for probabilities; the sum is that of {@link #context} and
   * {@link #contextBefore}.
   */
  void multiplyByteContext(byte[] qkv, int offset, int head, int n) {
    loadValues(qkv, offset, head);
    loadProbabilities(n);
    for (int start = 0; start < length; start += ExactProduct.BYTES) {
      int part = Math.min(ExactProduct.BYTES, length - start);
      product.multiply(context, headDim, n, probabilities, start, part, values, start, length);
      if (start + part < length) {
        keepContext(n, start == 0);
      }
    }
  }

  private void keepContext(int n, boolean first) {
    if (contextBefore == null) {
      contextBefore = new int[headDim][queryCount];
    }
    for (int d = 0; d < headDim; d++) {
      for (int i = 0; i < n; i++) {
        contextBefore[d][i] = (first ? 0 : contextBefore[d][i]) + (int) context[d][i];
      }
    }
  }

  /** The part of a channel's context that does not fit an exact sum, or null where all does. */
  int[] contextBefore(int channel) {
    return contextBefore == null ? null : contextBefore[channel];
  }

  private void loadProbabilities(int n) {
    for (int t = 0; t < tokens; t++) {
      product.setRow(probabilities, t, scores[t], n);
    }
  }

  private void loadValues(byte[] qkv, int offset, int head) {
    int v = offset + head * headDim + 2 * part;
    for (int t = 0; t < tokens; t++) {
      for (int d = 0; d < headDim; d++) {
        values[d * length + t] = qkv[v + t * stride + d];
      }
    }
  }
}
