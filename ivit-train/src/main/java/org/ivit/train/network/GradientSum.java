package org.ivit.train.network;

import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.ivit.core.graph.Range;
import org.ivit.train.step.MicroBatch;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Runs micro-batches forward and backward and sums their gradients; updates nothing. */
public final class GradientSum {
  private final TransformerNetwork network;
  private INDArray sum;

  /**
   * What the passes found beside the gradient, which lies in the network's flattened gradient.
   *
   * @param loss summed over the pictures
   * @param pictures of all micro-batches
   * @param seen smallest and largest value of every node over all micro-batches; empty when ranges
   *     are frozen
   */
  public record Outcome(double loss, int pictures, SortedMap<String, Range> seen) {}

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
  public Outcome run(List<MicroBatch> batches) {
    ComputationGraph graph = network.graph();
    SortedMap<String, Range> seen = new TreeMap<>();
    int pictures = 0;
    double loss = 0;
    for (int i = 0; i < batches.size(); i++) {
      MicroBatch batch = batches.get(i);
      loss += gradients(graph, batch) * batch.pictures();
      pictures += batch.pictures();
      network.seenRanges().forEach((node, range) -> seen.merge(node, range, Range::union));
      accumulate(graph.getFlattenedGradients(), i, batches.size());
    }
    return new Outcome(loss, pictures, seen);
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
