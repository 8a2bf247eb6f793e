package org.ivit.train.gpu;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;
import org.ivit.core.cuda.Device;
import org.ivit.train.device.DeviceStep;
import org.ivit.train.device.ProductPrecision;

/** The losses of many steps on the processor and on a device, in every precision. */
final class LearningCurves {
  /** How far a loss in float32 may be from the processor's, as a share of it. */
  static final double MOST = 1e-3;

  /** How far the mean loss of other precisions may be from float32's, as a share of it. */
  static final double MOST_MEAN = 0.02;

  private final Supplier<Device> devices;
  private final TrainingCase start;
  private final int steps;
  private final double[] expected;
  private final Map<ProductPrecision, double[]> found = new EnumMap<>(ProductPrecision.class);
  private boolean sameRanges = true;
  private boolean agrees = true;

  LearningCurves(Supplier<Device> devices, TrainingCase start, int steps) {
    this.devices = devices;
    this.start = start;
    this.steps = steps;
    expected = new double[steps];
  }

  /**
   * Takes the steps.
   *
   * @param result receives losses and statistics
   * @return whether ranges of the first step are equal, and losses agree
   */
  boolean agree(ObjectNode result) {
    DeviceStep.Result first = null;
    try (StepRun host = new HostRun(start)) {
      for (int step = 0; step < steps; step++) {
        DeviceStep.Result taken = host.step();
        first = first == null ? taken : first;
        expected[step] = taken.loss();
      }
    }
    result.put("case", start.name()).put("steps", steps);
    put(result.putObject("host"), expected);
    for (ProductPrecision precision : ProductPrecision.values()) {
      found.put(precision, curve(precision, first));
      compare(precision, result.putObject(precision.name().toLowerCase(Locale.ROOT)));
    }
    result.put("ranges_of_step_1_equal", sameRanges);
    return sameRanges && agrees;
  }

  private double[] curve(ProductPrecision precision, DeviceStep.Result first) {
    double[] losses = new double[steps];
    try (StepRun device = new DeviceRun(start, devices.get(), precision)) {
      for (int step = 0; step < steps; step++) {
        DeviceStep.Result taken = device.step();
        losses[step] = taken.loss();
        sameRanges &= step > 0 || taken.seen().equals(first.seen());
      }
    }
    return losses;
  }

  /** Float32 beside the processor, the others beside float32. */
  private void compare(ProductPrecision precision, ObjectNode row) {
    double[] losses = found.get(precision);
    boolean single = precision == ProductPrecision.FLOAT32;
    double[] beside = single ? expected : found.get(ProductPrecision.FLOAT32);
    double mean = 0;
    double largest = 0;
    for (int step = 0; step < steps; step++) {
      double distance = Distance.of(losses[step], beside[step]);
      mean += distance / steps;
      largest = Math.max(largest, Double.isNaN(distance) ? Double.POSITIVE_INFINITY : distance);
    }
    put(row, losses);
    row.put("mean_difference", mean).put("largest_difference", largest);
    agrees &= single ? largest <= MOST : mean <= MOST_MEAN;
  }

  private static void put(ObjectNode row, double[] losses) {
    ArrayNode array = row.putArray("losses");
    for (double loss : losses) {
      array.add(loss);
    }
  }
}
