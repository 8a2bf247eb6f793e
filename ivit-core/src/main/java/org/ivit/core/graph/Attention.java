package org.ivit.core.graph;

import org.ivit.core.arithmetic.AttentionScales;
import org.ivit.core.arithmetic.Bounds;
import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.arithmetic.DyadicVector;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.SoftmaxForm;
import org.ivit.core.arithmetic.SoftmaxTable;

/**
 * Multi-head self-attention between the products qkv and proj, §3 and §4: 8-bit scores, softmax by
 * table, 8-bit context.
 *
 * @param name prefix of its nodes, such as {@code blocks.0.attn}
 * @param heads number of heads
 * @param headDim channels of a head
 * @param scores multiplier from Q·Kᵀ to score codes
 * @param scoresScale value of one score code step
 * @param softmax the table
 * @param context multipliers from P·V to context codes, one a channel
 * @param contextOutliers context channels whose codes have the scale {@code contextScale·2^k}
 * @param contextScale value of one context code step
 */
public record Attention(
    String name,
    int heads,
    int headDim,
    Dyadic scores,
    float scoresScale,
    SoftmaxTable softmax,
    DyadicVector context,
    OutlierChannels contextOutliers,
    float contextScale) {

  /** Checks the lengths and proves the bound of the scores. */
  public Attention {
    GraphChecks.length(name + ".context multipliers", context.size(), (long) heads * headDim);
    Bounds.requireChannels(name + ".context", contextOutliers, heads * headDim);
    Bounds.proveScores(name + ".scores", headDim);
  }

  /**
   * @param name full node name of the scores, for messages
   * @param qkvScale scale of the qkv codes
   * @param headDim channels of a head
   * @param scoresScale scale of the scores' range
   * @return multiplier from Q·Kᵀ to score codes
   */
  public static Dyadic scores(String name, float qkvScale, int headDim, float scoresScale) {
    return Dyadic.of(name, Dyadic.ratio(AttentionScales.scores(qkvScale, headDim), scoresScale));
  }

  /**
   * @param name prefix of its nodes
   * @param heads number of heads
   * @param headDim channels of a head
   * @param tokens length of a row of scores
   * @param form form of softmax
   * @param attentionBits width of the probabilities
   * @param qkvScale scale of the qkv codes
   * @param scoresScale scale of the scores' range
   * @param contextScale scale of the context's range
   * @param contextOutliers outlier channels of the context
   * @return the node
   */
  public static Attention of(
      String name,
      int heads,
      int headDim,
      int tokens,
      SoftmaxForm form,
      int attentionBits,
      float qkvScale,
      float scoresScale,
      float contextScale,
      OutlierChannels contextOutliers) {
    return new Attention(
        name,
        heads,
        headDim,
        scores(name + ".scores", qkvScale, headDim, scoresScale),
        scoresScale,
        SoftmaxTable.of(name + ".softmax", form, scoresScale, tokens, attentionBits),
        DyadicVector.of(
            name + ".context",
            AttentionScales.context(qkvScale, attentionBits),
            heads * headDim,
            contextScale,
            contextOutliers),
        contextOutliers,
        contextScale);
  }
}
