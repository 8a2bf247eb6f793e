package org.ivit.train.host;

import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.scheme.Range;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.memory.RealType;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Execution;
import org.ivit.train.operator.Loss;
import org.ivit.train.operator.QuantizedOperator;
import org.ivit.train.operator.RangeMode;
import org.ivit.train.step.AdamSettings;
import org.ivit.train.step.MicroBatch;
import org.ivit.train.step.StepResult;
import org.ivit.train.step.StepSettings;
import org.ivit.train.step.StepSums;
import org.ivit.train.step.StepVector;

/**
 * Steps of training a quantized network on the processor in float32, without Deeplearning4j: its
 * operators in its order, AdamW, clipping by the global norm, a moving average. One thread at a
 * time; inside, it uses a pool.
 */
public final class HostStep {
  private final OperatorChain chain;
  private final FlatParameters parameters;
  private final Loss loss;
  private final Execution execution;
  private final HostAdam adam;
  private final Reals gradients;
  private final Reals sum;
  private final List<Reals> outputs = new ArrayList<>();
  private int pictures;

  /**
   * @param architecture sizes
   * @param scheme how the network is quantized
   * @param settings how steps are taken
   * @param pool threads
   */
  public HostStep(
      Architecture architecture, Scheme scheme, StepSettings settings, WorkerPool pool) {
    this.loss = settings.loss();
    chain = new OperatorChain(architecture, scheme, settings.stochasticDepth(), settings.grids());
    parameters = new FlatParameters(architecture, chain);
    execution = new Execution(pool, RealType.FLOAT32);
    adam = new HostAdam(parameters.kinds(), settings.averageDecay(), pool);
    gradients = Reals.allocate(RealType.FLOAT32, chain.size());
    sum = Reals.allocate(RealType.FLOAT32, chain.size());
  }

  /** What is trained, and the ranges, which steps do not move. */
  public FlatParameters parameters() {
    return parameters;
  }

  /**
   * A vector of a number a parameter, to be read or written in place.
   *
   * @throws IllegalStateException if the moving average is asked for, and there is none
   */
  public Reals vector(StepVector vector) {
    return switch (vector) {
      case PARAMETERS -> parameters.vector();
      case FIRST_MOMENTS -> adam.firstMoments();
      case SECOND_MOMENTS -> adam.secondMoments();
      case AVERAGE -> adam.average();
      case GRADIENTS -> gradients;
    };
  }

  /**
   * Computes the gradients of a step and moves the parameters. Where loss or gradient are not
   * finite, nothing is moved.
   *
   * @param batches at least one
   * @param observe whether ranges are observed
   * @param settings how to move
   */
  public StepResult run(List<MicroBatch> batches, boolean observe, AdamSettings settings) {
    execution.rangeMode(observe ? RangeMode.LAGGED : RangeMode.FROZEN);
    StepSums found = StepSums.NONE;
    for (int i = 0; i < batches.size(); i++) {
      MicroBatch batch = batches.get(i);
      double batchLoss = gradients(batch);
      found = found.plus(new StepSums(batchLoss, batch.pictures(), seen()));
      accumulate(i, batches.size());
    }
    StepResult result = found.result(execution.norm(gradients));
    if (result.finite()) {
      adam.move(
          parameters.vector(),
          gradients,
          found.pictures(),
          settings.clip(result.gradientNorm()),
          settings);
    }
    return result;
  }

  /** What the operators saw in the last pass. */
  private SortedMap<String, Range> seen() {
    SortedMap<String, Range> seen = new TreeMap<>();
    for (OperatorChain.Link link : chain.links()) {
      link.operator().seenRanges().forEach((node, range) -> seen.merge(node, range, Range::union));
    }
    return seen;
  }

  /** Leaves the gradients of a micro-batch; returns its losses' sum. */
  private double gradients(MicroBatch batch) {
    int n = batch.pictures();
    execution.randomness(batch.keys(), 0);
    resize(n);
    float[] pixels = batch.images().pixels();
    outputs.get(0).put(0, pixels, 0, pixels.length);
    List<OperatorChain.Link> links = chain.links();
    for (int i = 0; i < links.size(); i++) {
      QuantizedOperator operator = links.get(i).operator();
      operator.forward(
          links.get(i).own(parameters.vector()),
          outputs.get(i),
          outputs.get(i + 1),
          n,
          true,
          execution);
    }
    Reals logits = outputs.get(links.size());
    Reals gradient = Reals.allocate(RealType.FLOAT32, logits.size());
    double total = losses(batch, logits, gradient);
    for (int i = links.size() - 1; i >= 0; i--) {
      Reals gx = i == 0 ? null : Reals.allocate(RealType.FLOAT32, outputs.get(i).size());
      links
          .get(i)
          .operator()
          .backward(
              links.get(i).own(parameters.vector()),
              outputs.get(i),
              gradient,
              gx,
              links.get(i).own(gradients),
              n,
              execution);
      gradient = gx;
    }
    return total;
  }

  /** Memory of the pixels and of what each operator makes of them. */
  private void resize(int batch) {
    if (batch == pictures) {
      return;
    }
    pictures = batch;
    outputs.clear();
    outputs.add(Reals.allocate(RealType.FLOAT32, batch * chain.inputs()));
    for (OperatorChain.Link link : chain.links()) {
      outputs.add(Reals.allocate(RealType.FLOAT32, Math.multiplyExact(batch, link.outputs())));
    }
  }

  private double losses(MicroBatch batch, Reals logits, Reals gradient) {
    int classes = logits.size() / batch.pictures();
    int columns = batch.targets().length / batch.pictures();
    double[] scores = new double[classes];
    double[] targets = new double[columns];
    double[] row = new double[classes];
    double total = 0;
    for (int i = 0; i < batch.pictures(); i++) {
      logits.get(i * classes, scores, 0, classes);
      for (int c = 0; c < columns; c++) {
        targets[c] = batch.targets()[i * columns + c];
      }
      total += loss.row(scores, targets, row);
      gradient.put(i * classes, row, 0, classes);
    }
    return total;
  }

  /** Adds micro-batches up; the last one leaves the sum where the gradients are. */
  private void accumulate(int index, int count) {
    if (count == 1) {
      return;
    }
    if (index == 0) {
      sum.put(0, gradients, 0, sum.size());
      return;
    }
    adam.add(gradients, sum);
    if (index == count - 1) {
      gradients.put(0, sum, 0, sum.size());
    }
  }
}
