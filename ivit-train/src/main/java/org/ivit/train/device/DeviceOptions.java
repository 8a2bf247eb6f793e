package org.ivit.train.device;

import org.ivit.train.device.product.ProductPrecision;

/**
 * How a device computes.
 *
 * @param precision of the products of reals
 * @param library whether to multiply by cuBLASLt where it is installed, as {@link
 *     org.ivit.train.device.product.ProductLibrary#PROPERTY} says
 * @param recompute whether a block keeps its input alone, and runs forward again before it runs
 *     back: the same integers for less memory
 */
public record DeviceOptions(ProductPrecision precision, boolean library, boolean recompute) {}
