package org.ivit.train.network;

import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.schedule.ISchedule;

/**
 * Adam with decoupled weight decay: none on biases, norms, tokens and embeddings.
 *
 * @param rate learning rate by step
 * @param weightDecay coefficient, multiplied by the learning rate
 * @param beta1 decay of the first moment
 * @param beta2 decay of the second moment
 * @param epsilon added to the root of the second moment
 */
public record AdamW(
    ISchedule rate, double weightDecay, double beta1, double beta2, double epsilon) {

  IUpdater updater() {
    return new FusedAdam(rate, beta1, beta2, epsilon);
  }
}
