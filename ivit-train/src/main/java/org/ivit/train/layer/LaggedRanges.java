package org.ivit.train.layer;

import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.ivit.train.operator.RangeMode;

/**
 * A listener that lets the ranges of a network move while Deeplearning4j trains it ({@code
 * docs/arithmetic.md#observing-ranges}): {@code network.addListeners(new LaggedRanges(new
 * LayerRanges(network)))}. The first step sets ranges that were never set.
 */
public final class LaggedRanges extends BaseTrainingListener {
  private final LayerRanges ranges;

  /**
   * Puts the layers into mode {@link RangeMode#LAGGED}.
   *
   * @param ranges of the network that will be trained
   */
  public LaggedRanges(LayerRanges ranges) {
    this.ranges = ranges;
    ranges.mode(RangeMode.LAGGED);
  }

  @Override
  public void iterationDone(Model network, int iteration, int epoch) {
    ranges.move();
  }
}
