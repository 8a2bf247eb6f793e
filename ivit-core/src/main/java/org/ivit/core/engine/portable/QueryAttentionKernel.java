package org.ivit.core.engine.portable;

import java.util.Arrays;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.arithmetic.SoftmaxTable;
import org.ivit.core.graph.QueryAttention;

/** Softmax over the tokens for the one query of an attention pooling, and its context. */
final class QueryAttentionKernel {
  private final QueryAttention attention;
  private final SoftmaxTable softmax;
  private final int tokens;

  QueryAttentionKernel(QueryAttention attention, int tokens) {
    this.attention = attention;
    this.softmax = attention.softmax();
    this.tokens = tokens;
  }

  /**
   * @param scores codes, [tokens][heads]
   * @param values codes, [tokens][heads][headDim]
   * @param out receives the context, [heads][headDim]
   */
  void run(byte[] scores, byte[] values, byte[] out) {
    int heads = attention.heads();
    int headDim = attention.headDim();
    byte[] row = new byte[tokens];
    short[] probabilities = new short[tokens];
    int[] acc = new int[headDim];
    for (int head = 0; head < heads; head++) {
      for (int t = 0; t < tokens; t++) {
        row[t] = scores[t * heads + head];
      }
      softmax.row(row, 0, tokens, null, 0, probabilities, 0);
      Arrays.fill(acc, 0);
      int sum = 0;
      for (int t = 0; t < tokens; t++) {
        int p = probabilities[t];
        sum += p;
        int from = (t * heads + head) * headDim;
        for (int d = 0; d < headDim; d++) {
          acc[d] += p * values[from + d];
        }
      }
      int factor = softmax.deferred() ? SoftmaxTable.factor(sum) : 0;
      for (int d = 0; d < headDim; d++) {
        int channel = head * headDim + d;
        int z = softmax.deferred() ? SoftmaxTable.normalise(acc[d], factor) : acc[d];
        out[channel] = Quantizer.clamp8(attention.context().apply(channel, z));
      }
    }
  }
}
