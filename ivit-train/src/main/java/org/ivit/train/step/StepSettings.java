package org.ivit.train.step;

import org.ivit.train.operator.CrossEntropy;

/**
 * How all steps of a run are taken.
 *
 * @param stochasticDepth rate of the last block
 * @param loss weight and temperature of the distillation
 * @param averageDecay of the moving average of the parameters; 0 for none
 */
public record StepSettings(double stochasticDepth, CrossEntropy loss, double averageDecay) {}
