package org.ivit.core.checkpoint;

/** Names of tensors: the node's, a dot and one of these. */
final class CheckpointNames {
  static final String WEIGHT = ".weight";
  static final String BIAS = ".bias";
  static final String MULTIPLIER = ".multiplier";
  static final String SHIFT = ".shift";
  static final String OFFSET = ".offset";
  static final String EXPONENTIALS = ".exponentials";
  static final String ROUNDING = ".rounding";
  static final String TABLE = ".table";
  static final String OUTLIER_TABLE = ".outlier_table";
  static final String SIGMOID_SCALE = ".sigmoid_scale";
  static final String X0_AND_N = ".x0_n";

  /** A parameter that is codes without a node of its own, as the leading tokens are. */
  static final String POSITION = "pos_embed";

  private CheckpointNames() {}
}
