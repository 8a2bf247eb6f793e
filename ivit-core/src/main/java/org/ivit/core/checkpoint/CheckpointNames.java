package org.ivit.core.checkpoint;

import org.ivit.core.architecture.Stem;
import org.ivit.core.architecture.Stem.LeadingToken;

/** Names of tensors: the node's, a dot and one of these. */
final class CheckpointNames {
  static final String WEIGHT = ".weight";
  static final String WEIGHT_INDICES = ".weight_indices";
  static final String WEIGHT_TABLE = ".weight_table";
  static final String WEIGHT_MULTIPLIER = ".weight_multiplier";
  static final String BIAS = ".bias";
  static final String MULTIPLIER = ".multiplier";
  static final String SHIFT = ".shift";
  static final String EPSILON = ".epsilon";
  static final String OFFSET = ".offset";
  static final String EXPONENTIALS = ".exponentials";
  static final String ROUNDING = ".rounding";
  static final String TABLE = ".table";
  static final String OUTLIER_TABLE = ".outlier_table";
  static final String SIGMOID_SCALE = ".sigmoid_scale";
  static final String X0_AND_N = ".x0_n";

  private CheckpointNames() {}

  /** Whether a tensor holds weights, or what their indices decode to. */
  static boolean isOfWeight(String name) {
    return name.endsWith(WEIGHT)
        || name.endsWith(WEIGHT_INDICES)
        || name.endsWith(WEIGHT_TABLE)
        || name.endsWith(WEIGHT_MULTIPLIER);
  }

  /** Sizes of the codes of leading tokens: a single token is a row. */
  static long[] tokenShape(Stem stem, LeadingToken token) {
    return token.count() == 1 ? new long[] {stem.dim()} : new long[] {token.count(), stem.dim()};
  }
}
