package org.ivit.train.recipe;

/** How the ranges of nodes that feed a linear layer are chosen in calibration. */
public enum RangeSearch {
  /** By the observers, like all others. */
  NONE,
  /**
   * By the smallest error at the output of the layer that reads the node, together with outlier
   * channels where these are found automatically. Where that output is the model's feature, the
   * error is 1 − cosine.
   */
  OUTPUT_ERROR
}
