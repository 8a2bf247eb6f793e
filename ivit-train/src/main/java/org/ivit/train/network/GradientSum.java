package org.ivit.train.network;

import java.util.List;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.ivit.train.step.MicroBatch;
import org.ivit.train.step.StepSums;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Runs micro-batches forward and backward and sums their gradients; updates nothing. */
public final class GradientSum {
  private final TransformerNetwork network;
  private INDArray sum;

  /**
   * @param network its flattened gradient is overwritten by each run
   */
  public GradientSum(TransformerNetwork network) {
    this.network = network;
  }

  /**
   * Leaves the gradient, summed over the pictures, in the network's flattened gradient.
   *
   * @param batches at least one
   */
  public StepSums run(List<MicroBatch> batches) {
    ComputationGraph graph = network.graph();
    StepSums found = StepSums.NONE;
    for (int i = 0; i < batches.size(); i++) {
      MicroBatch batch = batches.get(i);
      double loss = gradients(graph, batch) * batch.pictures();
      found = found.plus(new StepSums(loss, batch.pictures(), network.seenRanges()));
      accumulate(graph.getFlattenedGradients(), i, batches.size());
    }
    return found;
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
}
