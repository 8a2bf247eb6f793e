package org.ivit.train.gpu;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.ivit.core.cuda.Device;
import org.ivit.train.device.product.ProductPrecision;

/**
 * The losses of runs from one start, each on its own: on the processor, and on a device in some
 * precisions. A code that rounding turns changes every later code a little, so that runs of
 * different order of sums part after some steps; until then their losses are equal.
 */
final class LearningCurves {
  private final Supplier<Device> devices;
  private final TrainingCase start;
  private final int steps;

  LearningCurves(Supplier<Device> devices, TrainingCase start, int steps) {
    this.devices = devices;
    this.start = start;
    this.steps = steps;
  }

  /**
   * How two curves differ, as shares of the second one's losses.
   *
   * @param mean of the differences' sizes
   * @param largest of them
   * @param ofMeans difference of the curves' means
   * @param first step whose losses differ at all; the number of steps where none do
   */
  record Difference(double mean, double largest, double ofMeans, int first) {
    static Difference of(double[] found, double[] expected) {
      double mean = 0;
      double largest = 0;
      int first = expected.length;
      for (int step = 0; step < expected.length; step++) {
        double distance = Distance.of(found[step], expected[step]);
        mean += distance / expected.length;
        largest = distance <= largest ? largest : distance;
        first = distance == 0 ? first : Math.min(first, step);
      }
      double ofMeans = Distance.of(Arrays.stream(found).sum(), Arrays.stream(expected).sum());
      return new Difference(mean, largest, ofMeans, first);
    }
  }

  /**
   * Runs, and compares the first precision with the processor, each other with the first.
   *
   * @param mostOfMeans difference of means that is allowed
   * @param most largest difference that is allowed
   * @param row receives losses and differences
   * @return whether all are as they may be
   */
  boolean agree(
      List<ProductPrecision> precisions, double mostOfMeans, double most, ObjectNode row) {
    row.put("case", start.name()).put("steps", steps).put("learning_rate", start.learningRate());
    double[] beside = losses(new HostRun(start));
    put(row.putObject("cpu"), beside);
    boolean agree = true;
    for (ProductPrecision precision : precisions) {
      double[] found = losses(new DeviceRun(start, devices.get(), DeviceWay.of(precision)));
      Difference difference = Difference.of(found, beside);
      ObjectNode curve = row.putObject(DeviceWay.of(precision).key());
      put(curve, found);
      curve.put("mean_difference", difference.mean);
      curve.put("largest_difference", difference.largest);
      curve.put("difference_of_means", difference.ofMeans);
      curve.put("first_difference", difference.first);
      agree &= difference.ofMeans <= mostOfMeans && difference.largest <= most;
      beside = precision == precisions.get(0) ? found : beside;
    }
    return agree;
  }

  private double[] losses(StepRun run) {
    double[] losses = new double[steps];
    try (run) {
      for (int step = 0; step < steps; step++) {
        losses[step] = run.step().loss();
      }
    }
    return losses;
  }

  private static void put(ObjectNode row, double[] losses) {
    ArrayNode array = row.putArray("losses");
    for (double loss : losses) {
      array.add(loss);
    }
  }
}
