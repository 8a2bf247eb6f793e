package org.ivit.train.distributed;

/** Machines that compute gradients. */
public interface GradientCluster {
  /**
   * Prepares a run.
   *
   * @param job what every machine has to know of it
   * @throws org.ivit.core.InputException if the cluster cannot run it
   */
  GradientService gradients(GradientJob job);
}
