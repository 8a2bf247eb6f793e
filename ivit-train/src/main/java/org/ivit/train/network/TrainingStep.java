package org.ivit.train.network;

import java.util.List;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.ivit.core.graph.FloatWeights;
import org.ivit.train.nd4j.NdMemory;
import org.ivit.train.operator.Execution;
import org.ivit.train.step.MicroBatch;
import org.ivit.train.step.NetworkStep;
import org.ivit.train.step.StepResult;
import org.ivit.train.step.StepSums;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * One step of training: gradients accumulated over micro-batches, clipped by their global norm, and
 * one update. With one micro-batch and no clipping it is what {@link ComputationGraph#fit} does. It
 * does not move ranges: what was seen is in the result.
 */
public final class TrainingStep implements NetworkStep {
  private final TransformerNetwork network;
  private final double clipNorm;
  private final GradientSum sum;

  /**
   * @param network with an optimizer
   * @param clipNorm largest global norm of the mean gradient, 0 for no clipping
   */
  public TrainingStep(TransformerNetwork network, double clipNorm) {
    this.network = network;
    this.clipNorm = clipNorm;
    this.sum = new GradientSum(network);
  }

  @Override
  public StepResult run(List<MicroBatch> batches) {
    return apply(sum.run(batches));
  }

  /**
   * Updates the network with the gradient that lies in it, summed over pictures wherever. Where
   * loss or gradient is not finite, nothing is updated.
   *
   * @param found by the passes that the gradient comes from
   */
  public StepResult apply(StepSums found) {
    ComputationGraph graph = network.graph();
    INDArray gradient = graph.getFlattenedGradients();
    StepResult result = found.result(network.execution().norm(NdMemory.read(gradient)));
    double norm = result.gradientNorm();
    if (!result.finite()) {
      return result;
    }
    if (clipNorm > 0 && norm > clipNorm) {
      gradient.muli(clipNorm / norm);
    }
    update(graph, found.pictures());
    return result;
  }

  @Override
  public String description() {
    return "cpu, " + Execution.kernels();
  }

  @Override
  public void synchronise() {
    // The network is what steps work on.
  }

  @Override
  public FloatWeights average() {
    return null;
  }

  @Override
  public void close() {
    // Holds nothing.
  }

  private static void update(ComputationGraph graph, int pictures) {
    int iteration = graph.getConfiguration().getIterationCount();
    int epoch = graph.getConfiguration().getEpochCount();
    graph
        .getUpdater()
        .update(
            new DefaultGradient(graph.getFlattenedGradients()),
            iteration,
            epoch,
            pictures,
            LayerWorkspaceMgr.noWorkspaces());
    INDArray update = graph.getFlattenedGradients();
    graph.params().subi(update.reshape(graph.params().shape()));
    graph.getConfiguration().setIterationCount(iteration + 1);
  }
}
