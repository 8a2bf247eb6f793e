package org.ivit.train.step;

import java.util.Map;
import org.ivit.train.operator.Loss;
import org.ivit.train.parameter.GridForm;

/**
 * How all steps of a run are taken.
 *
 * @param stochasticDepth rate of the last block
 * @param loss what steps make small
 * @param averageDecay of the moving average of the parameters; 0 for none
 * @param grids forms of the grids of weights of fewer than 8 bits, by name of the weight
 */
public record StepSettings(
    double stochasticDepth, Loss loss, double averageDecay, Map<String, GridForm> grids) {
  /** Weights all have 8 bits, or none are quantized. */
  public StepSettings(double stochasticDepth, Loss loss, double averageDecay) {
    this(stochasticDepth, loss, averageDecay, Map.of());
  }
}
