package org.ivit.train.parameter;

import org.ivit.core.architecture.Parameter;

/** What a parameter is, which decides its initial values and whether it decays and moves. */
public enum ParameterKind {
  /** A matrix of a linear layer: normal with deviation 0.02; decays. */
  WEIGHT,
  /** The patch embedding's matrix: uniform within ±1/√inputs, as a convolution; decays. */
  CONVOLUTION,
  /** An additive vector: zeros. */
  BIAS,
  /** A norm's γ: ones. */
  NORM_WEIGHT,
  /** A norm's β: zeros. */
  NORM_BIAS,
  /** Positions: normal with deviation 0.02. */
  POSITION,
  /** Class token: normal with deviation 1e-6. */
  TOKEN,
  /** Minimum and maximum of each node, no learned parameter: 1 and −1, which means not set. */
  RANGE,
  /** Frozen scales of a matrix, one an output channel, no learned parameter: 0 means not frozen. */
  WEIGHT_SCALE,
  /** Points of a matrix's grid, {@link GridForm}: zeros; moves. */
  WEIGHT_GRID,
  /** As {@link #WEIGHT_GRID}, but stays. */
  FIXED_GRID;

  /** What a parameter of a part is in training. */
  static ParameterKind of(Parameter.Role role) {
    return switch (role) {
      case WEIGHT -> WEIGHT;
      case CONVOLUTION -> CONVOLUTION;
      case BIAS -> BIAS;
      case NORM_WEIGHT -> NORM_WEIGHT;
      case NORM_BIAS -> NORM_BIAS;
      case POSITION -> POSITION;
      case TOKEN -> TOKEN;
    };
  }

  /** Whether it is learned. */
  public boolean learned() {
    return this == WEIGHT_GRID || ofModel();
  }

  /** Whether it has its place among the weights of a model. */
  public boolean ofModel() {
    return switch (this) {
      case RANGE, WEIGHT_SCALE, WEIGHT_GRID, FIXED_GRID -> false;
      default -> true;
    };
  }

  /** How an optimizer of one vector moves it: 0 not at all, 1 without decay, 2 with. */
  public byte moves() {
    return (byte) (!learned() ? 0 : decays() ? 2 : 1);
  }

  /** Whether weight decay applies: to matrices only. */
  public boolean decays() {
    return this == WEIGHT || this == CONVOLUTION;
  }
}
