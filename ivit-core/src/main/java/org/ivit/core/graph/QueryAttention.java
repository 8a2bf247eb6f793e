package org.ivit.core.graph;

import org.ivit.core.architecture.AttentionPooling;
import org.ivit.core.arithmetic.AttentionScales;
import org.ivit.core.arithmetic.Bounds;
import org.ivit.core.arithmetic.DyadicVector;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.SoftmaxTable;
import org.ivit.core.scheme.Scheme;

/**
 * Attention of one constant query between the products {@code scores} and {@code v} and the
 * projection ({@code docs/arithmetic.md#attention-pooling}): softmax over the tokens by table,
 * 8-bit context of one token.
 *
 * @param heads number of heads
 * @param headDim channels of a head
 * @param softmax the table
 * @param context multipliers from P·V, normalised, to context codes, one a channel
 * @param contextOutliers context channels whose codes have the scale {@code contextScale·2^k}
 * @param contextScale value of one context code step
 */
public record QueryAttention(
    int heads,
    int headDim,
    SoftmaxTable softmax,
    DyadicVector context,
    OutlierChannels contextOutliers,
    float contextScale) {
  /** Checks the lengths. */
  public QueryAttention {
    GraphChecks.length("attn_pool.context multipliers", context.size(), (long) heads * headDim);
    Bounds.requireChannels("attn_pool.context", contextOutliers, heads * headDim);
  }

  /**
   * @param part name and sizes
   * @param scheme forms, widths, outlier channels
   * @param scoresScale scale of the scores
   * @param valuesScale scale of the values
   * @param contextScale scale of the context's range
   * @return the node
   */
  public static QueryAttention of(
      AttentionPooling part,
      Scheme scheme,
      float scoresScale,
      float valuesScale,
      float contextScale) {
    OutlierChannels outliers = scheme.outliers(part.context());
    SoftmaxTable softmax =
        SoftmaxTable.of(
            part.softmax(), scheme.softmax(), scoresScale, part.tokens(), scheme.attentionBits());
    return new QueryAttention(
        part.heads(),
        part.headDim(),
        softmax,
        DyadicVector.of(
            part.context().name(),
            AttentionScales.context(valuesScale, softmax.contextBits()),
            part.dim(),
            contextScale,
            outliers),
        outliers,
        contextScale);
  }
}
