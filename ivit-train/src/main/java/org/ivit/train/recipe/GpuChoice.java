package org.ivit.train.recipe;

import org.ivit.train.device.product.ProductPrecision;

/**
 * How a GPU takes steps; of no account on the processor.
 *
 * @param products in what products of reals are multiplied: those of the backward pass, and of a
 *     teacher
 * @param recompute whether blocks run forward again before they run back, for less memory
 */
public record GpuChoice(ProductPrecision products, boolean recompute) {
  static GpuChoice read(Section section) {
    GpuChoice choice =
        new GpuChoice(
            section.choice("products", ProductPrecision.TF32, ProductPrecision.class),
            section.flag("recompute", false));
    section.end();
    return choice;
  }
}
