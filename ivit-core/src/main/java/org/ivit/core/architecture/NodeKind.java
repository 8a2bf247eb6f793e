package org.ivit.core.architecture;

/** What a node of the integer network is: how many bits its codes have and what it may have. */
public enum NodeKind {
  /** Normalised pixels. */
  PIXELS(8, false),
  /** The patch embedding's product where tokens and positions are joined to it. */
  PATCHES(16, false),
  /** The patch embedding's product where a norm reads it. */
  PATCH_CODES(8, false),
  /** Leading tokens and patches with their positions added. */
  EMBEDDING(16, false),
  /** The norm of the patches, the first codes of the residual stream. */
  PATCH_NORM(16, false),
  /** A norm of the stream that goes on as the stream. */
  STREAM_NORM(16, false),
  /** A norm that feeds a product. */
  NORM(8, true),
  /** A final norm that feeds a pool, where channels with a scale of their own cannot be summed. */
  POOLED_NORM(8, false),
  /** Queries, keys and values. */
  QKV(8, false),
  /** Queries, keys and values before rotary positions turn them. */
  UNROTATED(16, false),
  /** Queries and keys turned by rotary positions, and values. */
  ROTATED(8, false),
  /** Products of queries and keys. */
  SCORES(8, false),
  /** Scores with their relative position bias. */
  BIASED_SCORES(8, false),
  /** Values weighted by probabilities. */
  CONTEXT(8, true),
  /** A branch before its residual addition. */
  BRANCH(16, false),
  /** The residual stream after an addition. */
  RESIDUAL(16, false),
  /** The first product of an MLP. */
  HIDDEN(8, true),
  /** The activation function of an MLP. */
  ACTIVATION(8, true),
  /** The product of an MLP that gates another. */
  GATE(8, false),
  /** The product of an MLP that is gated. */
  VALUE(8, false),
  /** Gated values that feed a product. */
  GATED(8, true),
  /** Gated values that a norm reads. */
  GATED_STREAM(16, false),
  /** The product of a merging. */
  MERGED(8, false),
  /** The mean over tokens. */
  POOL(8, false),
  /** The mean over tokens of the stream. */
  POOLED_STREAM(16, false),
  /** Logits of a classifier: not clamped, their scale follows from the weights. */
  LOGITS(32, false);

  private final int bits;
  private final boolean outliers;

  NodeKind(int bits, boolean outliers) {
    this.bits = bits;
    this.outliers = outliers;
  }

  /** Width of the codes. */
  public int bits() {
    return bits;
  }

  /**
   * Whether channels of the node may have a scale of their own: 8 bits, feeding a product directly
   * or through the activation function.
   */
  public boolean mayHaveOutliers() {
    return outliers;
  }
}
