package org.ivit.train.recipe;

import java.util.List;

/**
 * How weights move.
 *
 * @param name the method
 * @param learningRate after the warm-up, not scaled by the batch size
 * @param weightDecay decoupled; none on biases, norms, tokens and embeddings
 * @param betas of Adam
 * @param epsilon of Adam
 * @param batchSize pictures in one forward pass
 * @param accumulation forward passes in one step: a step sees batchSize·accumulation pictures
 * @param clipNorm largest global norm of the gradient, 0 for no clipping
 */
public record Optimizer(
    Method name,
    double learningRate,
    double weightDecay,
    List<Double> betas,
    double epsilon,
    int batchSize,
    int accumulation,
    double clipNorm) {

  /** The optimizers there are. */
  public enum Method {
    /** Adam with decoupled weight decay. */
    ADAMW
  }

  static Optimizer read(Section section, boolean fromScratch, int batchSize) {
    Optimizer optimizer =
        new Optimizer(
            section.choice("name", Method.ADAMW, Method.class),
            section.number("learningRate", fromScratch ? 5e-4 : 1e-6, 0, 10),
            section.number("weightDecay", fromScratch ? 0.05 : 1e-4, 0, 10),
            section.numbers("betas", List.of(0.9, 0.999), 2, 0, 0.999999999),
            section.number("epsilon", 1e-8, 1e-30, 1),
            section.integer("batchSize", batchSize, 1, 1 << 20),
            section.integer("accumulation", 1, 1, 1 << 20),
            section.number("clipNorm", 0, 0, 1e9));
    section.end();
    return optimizer;
  }
}
