package org.ivit.core.arithmetic;

/** The scales of the two matrix products of attention, folded into their requantization. */
public final class AttentionScales {
  private AttentionScales() {}

  /**
   * Q·Kᵀ divided by √d: float32(float32(s·s) · float32(d^−½)).
   *
   * @param qkvScale s, of {@code attn.qkv}
   * @param headDim d, the width of a head
   */
  public static float scores(float qkvScale, int headDim) {
    float square = qkvScale * qkvScale;
    return square * (float) (1.0 / Math.sqrt(headDim));
  }

  /**
   * P·V: float32(s·2^(1−b)).
   *
   * @param qkvScale s, of {@code attn.qkv}
   * @param bits b, of the probabilities
   */
  public static float context(float qkvScale, int bits) {
    return qkvScale * Math.scalb(1f, 1 - bits);
  }
}
