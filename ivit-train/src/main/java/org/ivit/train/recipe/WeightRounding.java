package org.ivit.train.recipe;

/** How calibration rounds weights. */
public enum WeightRounding {
  /** Each to the nearest code; training moves them on. */
  NEAREST,
  /**
   * So that the outputs of linear layers change least on the calibration pictures; their scales are
   * frozen with that.
   */
  SECOND_ORDER
}
