package org.ivit.core.graph;

import org.ivit.core.architecture.Block;
import org.ivit.core.arithmetic.AttentionScales;
import org.ivit.core.arithmetic.Bounds;
import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.arithmetic.DyadicVector;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.SoftmaxTable;
import org.ivit.core.scheme.Scheme;

/**
 * Multi-head self-attention between the products qkv and proj ({@code
 * docs/arithmetic.md#linear-layers-and-matrix-products}, {@code docs/arithmetic.md#softmax}): 8-bit
 * scores, softmax by table, 8-bit context. In a window ({@code
 * docs/arithmetic.md#windows-and-merging}), the scores take a relative position bias before the
 * softmax.
 *
 * @param name prefix of its nodes, such as {@code blocks.0.attn}
 * @param heads number of heads
 * @param headDim channels of a head
 * @param scores multiplier from Q·Kᵀ to score codes
 * @param scoresScale value of one score code step
 * @param position relative position bias of the scores; null where there is none
 * @param softmax the table
 * @param context multipliers from P·V, normalised, to context codes, one a channel
 * @param contextOutliers context channels whose codes have the scale {@code contextScale·2^k}
 * @param contextScale value of one context code step
 */
public record Attention(
    String name,
    int heads,
    int headDim,
    Dyadic scores,
    float scoresScale,
    PositionBias position,
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
   * @param site name and sizes of the block
   * @param scheme forms, widths, outlier channels
   * @param qkvScale scale of the qkv codes
   * @param scoresScale scale of the scores' range
   * @param position relative position bias of the scores; null where there is none
   * @param contextScale scale of the context's range
   * @return the node
   */
  public static Attention of(
      Block site,
      Scheme scheme,
      float qkvScale,
      float scoresScale,
      PositionBias position,
      float contextScale) {
    OutlierChannels outliers = scheme.outliers(site.context());
    SoftmaxTable softmax =
        SoftmaxTable.of(
            site.softmax(),
            scheme.softmax(),
            position == null ? scoresScale : position.outputScale(),
            site.rowTokens(),
            scheme.attentionBits());
    return new Attention(
        site.node("attn"),
        site.heads(),
        site.headDim(),
        scores(site.scores().name(), qkvScale, site.headDim(), scoresScale),
        scoresScale,
        position,
        softmax,
        DyadicVector.of(
            site.context().name(),
            AttentionScales.context(qkvScale, softmax.contextBits()),
            site.dim(),
            contextScale,
            outliers),
        outliers,
        contextScale);
  }
}
