package org.ivit.export.cluster;

import java.util.function.IntConsumer;
import org.ivit.train.distributed.GradientCluster;

/** Machines that share the work of a command. */
public interface Cluster extends GradientCluster, AutoCloseable {
  /**
   * Runs a model over a set of pictures.
   *
   * @param job model and pictures
   * @param pictures how many there are
   * @param progress told how many pictures more are done
   * @return the logits of all pictures in the order of the set
   * @throws org.ivit.core.InputException what a worker refused
   */
  EvaluationPart evaluate(EvaluationJob job, int pictures, IntConsumer progress);

  /** Returns in a few words what it is. */
  String description();

  @Override
  void close();
}
