package org.ivit.train.device;

import org.ivit.train.device.product.ProductPrecision;
import org.ivit.train.operator.CrossEntropy;

/**
 * How a device takes steps.
 *
 * @param stochasticDepth rate of the last block
 * @param loss weight and temperature of the distillation
 * @param averageDecay of the moving average of the parameters; 0 for none
 * @param precision of the products of reals
 * @param library whether to multiply by cuBLASLt where it is installed, as {@link
 *     ProductLibrary#PROPERTY} says
 * @param recompute whether a block keeps its input alone, and runs forward again before it runs
 *     back: the same integers for less memory
 */
public record StepOptions(
    double stochasticDepth,
    CrossEntropy loss,
    double averageDecay,
    ProductPrecision precision,
    boolean library,
    boolean recompute) {}
