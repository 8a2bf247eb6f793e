package org.ivit.train.step;

import org.ivit.train.operator.Loss;

/**
 * How all steps of a run are taken.
 *
 * @param stochasticDepth rate of the last block
 * @param loss what steps make small
 * @param averageDecay of the moving average of the parameters; 0 for none
 */
public record StepSettings(double stochasticDepth, Loss loss, double averageDecay) {}
