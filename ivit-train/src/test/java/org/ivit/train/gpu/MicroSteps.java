package org.ivit.train.gpu;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.ivit.core.cuda.Device;
import org.ivit.train.device.DeviceStep;
import org.ivit.train.device.DeviceStep.Vector;
import org.ivit.train.device.ProductPrecision;

/**
 * Whole steps of micro networks on a device beside those on the processor: what is seen of every
 * node is equal, gradients agree to the rounding of their products.
 */
final class MicroSteps {
  private static final int STEPS = 2;
  private static final double LOSS = 1e-5;

  private final Supplier<Device> devices;
  private final Set<String> kernels = new TreeSet<>();

  MicroSteps(Supplier<Device> devices) {
    this.devices = devices;
  }

  /** The kernels that ran. */
  Set<String> kernels() {
    return kernels;
  }

  /** How far gradients may be apart, as a share of their length. */
  private static double most(ProductPrecision precision) {
    return switch (precision) {
      case FLOAT32 -> 1e-4;
      case TF32 -> 5e-3;
      case BF16 -> 4e-2;
    };
  }

  /**
   * Compares one network.
   *
   * @param row receives what was found
   * @return whether it is as it must be
   */
  boolean agrees(MicroCase micro, ProductPrecision precision, ObjectNode row) {
    TrainingCase start = micro.start();
    WatchedDevice watched = new WatchedDevice(devices.get());
    boolean seen = true;
    double loss = 0;
    double gradient = 0;
    try (StepRun host = new HostRun(start);
        StepRun device = new DeviceRun(start, watched.device(), precision)) {
      for (int step = 0; step < STEPS; step++) {
        DeviceStep.Result expected = host.step();
        DeviceStep.Result found = device.step();
        seen &= found.seen().equals(expected.seen());
        loss = Math.max(loss, Distance.of(found.loss(), expected.loss()));
        gradient =
            Math.max(
                gradient, Distance.of(device.read(Vector.GRADIENTS), host.read(Vector.GRADIENTS)));
        StepState.of(host).restore(device);
      }
    }
    kernels.addAll(watched.kernels());
    row.put("ranges_equal", seen).put("loss", loss).put("gradient", gradient);
    return seen && loss <= LOSS && gradient <= most(precision);
  }

  /** The precisions, with which products that are in none of the others come first. */
  static List<ProductPrecision> precisions() {
    return List.of(ProductPrecision.values());
  }
}
