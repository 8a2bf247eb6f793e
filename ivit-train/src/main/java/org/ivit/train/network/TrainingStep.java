package org.ivit.train.network;

import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.graph.Range;
import org.ivit.train.layer.NdMemory;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * One step of training: gradients accumulated over micro-batches, clipped by their global norm, and
 * one update. With one micro-batch and no clipping it is what {@link ComputationGraph#fit} does. It
 * does not move ranges: what was seen is in the result.
 */
public final class TrainingStep implements NetworkStep {
  private final VitNetwork network;
  private final double clipNorm;
  private INDArray sum;

  /**
   * The outcome of a step.
   *
   * @param loss mean over the pictures
   * @param gradientNorm global norm of the mean gradient before clipping
   * @param seen smallest and largest value of every node over all micro-batches; empty when ranges
   *     are frozen
   */
  public record Result(double loss, double gradientNorm, SortedMap<String, Range> seen) {}

  /**
   * @param network with an optimizer
   * @param clipNorm largest global norm of the mean gradient, 0 for no clipping
   */
  public TrainingStep(VitNetwork network, double clipNorm) {
    this.network = network;
    this.clipNorm = clipNorm;
  }

  @Override
  public Result run(List<MicroBatch> batches) {
    ComputationGraph graph = network.graph();
    SortedMap<String, Range> seen = new TreeMap<>();
    int pictures = batches.stream().mapToInt(MicroBatch::pictures).sum();
    double loss = 0;
    for (int i = 0; i < batches.size(); i++) {
      MicroBatch batch = batches.get(i);
      loss += gradients(graph, batch) * batch.pictures();
      network.seenRanges().forEach((node, range) -> seen.merge(node, range, Range::union));
      accumulate(graph.getFlattenedGradients(), i, batches.size());
    }
    INDArray gradient = graph.getFlattenedGradients();
    double norm = network.execution().norm(NdMemory.view(gradient)) / pictures;
    Result result = new Result(loss / pictures, norm, seen);
    if (!Double.isFinite(result.loss) || !Double.isFinite(norm)) {
      return result;
    }
    if (clipNorm > 0 && norm > clipNorm) {
      gradient.muli(clipNorm / norm);
    }
    update(graph, pictures);
    return result;
  }

  @Override
  public String description() {
    return "cpu";
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

  private double gradients(ComputationGraph graph, MicroBatch batch) {
    network.execution().randomness(batch.keys(), 0);
    int columns = batch.targets().length / batch.pictures();
    graph.setInputs(network.array(batch.pixels(), batch.pictures()));
    graph.setLabels(
        Nd4j.createFromArray(batch.targets())
            .reshape('c', batch.pictures(), columns)
            .castTo(graph.getConfiguration().getDataType()));
    graph.computeGradientAndScore();
    return graph.score();
  }

  private void accumulate(INDArray gradient, int index, int count) {
    if (count == 1) {
      return;
    }
    if (sum == null) {
      sum = Nd4j.createUninitialized(gradient.dataType(), gradient.shape(), gradient.ordering());
    }
    if (index == 0) {
      sum.assign(gradient);
    } else {
      sum.addi(gradient);
    }
    if (index == count - 1) {
      gradient.assign(sum);
    }
  }

  private static void update(ComputationGraph graph, int pictures) {
    int iteration = graph.getConfiguration().getIterationCount();
    int epoch = graph.getConfiguration().getEpochCount();
    graph
        .getUpdater()
        .update(graph.gradient(), iteration, epoch, pictures, LayerWorkspaceMgr.noWorkspaces());
    INDArray update = graph.getFlattenedGradients();
    graph.params().subi(update.reshape(graph.params().shape()));
    graph.getConfiguration().setIterationCount(iteration + 1);
  }
}
