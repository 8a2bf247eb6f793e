package org.ivit.train.gpu;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.ivit.core.scheme.Range;
import org.ivit.train.host.FlatParameters;
import org.ivit.train.observer.MovingMinMax;
import org.ivit.train.observer.RangeObserver;
import org.ivit.train.step.AdamSettings;
import org.ivit.train.step.MicroBatch;
import org.ivit.train.step.StepResult;
import org.ivit.train.step.StepVector;

/** Steps one after the other, with ranges that move and a moving average. */
abstract class StepRun implements AutoCloseable {
  private static final double MOMENTUM = 0.95;

  /** What goes on from step to step. */
  static final List<StepVector> STATE =
      List.of(
          StepVector.PARAMETERS,
          StepVector.FIRST_MOMENTS,
          StepVector.SECOND_MOMENTS,
          StepVector.AVERAGE);

  private final TrainingCase start;
  private final FlatParameters parameters;
  private final RangeObserver observer = new MovingMinMax(MOMENTUM);
  private int taken;

  /**
   * @param start where it begins
   * @param parameters the processor's memory of them, which gets the start's weights and ranges
   */
  StepRun(TrainingCase start, FlatParameters parameters) {
    this.start = start;
    this.parameters = parameters;
    parameters.load(start.weights());
    parameters.ranges(start.ranges());
  }

  /** Ranges of the coming step, and parameters; of a device's, only what is no matrix follows. */
  final FlatParameters parameters() {
    return parameters;
  }

  /** How many steps were taken since the start. */
  final int taken() {
    return taken;
  }

  /** Takes the next step. */
  final StepResult step() {
    StepResult result = take(start.pictures(taken).batches(), start.adam(taken));
    Map<String, Range> ranges = new TreeMap<>(parameters.ranges());
    result
        .seen()
        .forEach(
            (node, seen) ->
                ranges.computeIfPresent(node, (n, range) -> observer.move(range, seen)));
    parameters.ranges(ranges);
    taken++;
    return result;
  }

  /** Takes a step. */
  abstract StepResult take(List<MicroBatch> batches, AdamSettings adam);

  /** A copy of a vector. */
  abstract float[] read(StepVector vector);

  /** Replaces a vector; that of the parameters holds the ranges too. */
  abstract void write(StepVector vector, float[] values);

  /** Goes on where a run of the same start stopped. */
  final void goOn(Map<StepVector, float[]> state, int steps) {
    STATE.forEach(vector -> write(vector, state.get(vector)));
    taken = steps;
  }

  @Override
  public abstract void close();
}
