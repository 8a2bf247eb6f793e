package org.ivit.train.gpu;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.cuda.DriverDevice;
import org.ivit.core.cuda.EventClock;
import org.ivit.core.cuda.Launch;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.operator.CrossEntropy;

/**
 * Times of a step on a GPU: whole steps by the clock, kernels of one more by CUDA events; random
 * weights and pictures.
 */
final class StepTimes {
  private static final int WARM_UP = 3;

  private final Supplier<DriverDevice> devices;
  private final int pictures;
  private final int samples;

  /**
   * @param pictures of a step
   * @param samples steps of which the median is taken
   */
  StepTimes(Supplier<DriverDevice> devices, int pictures, int samples) {
    this.devices = devices;
    this.pictures = pictures;
    this.samples = samples;
  }

  /** A start of small random weights, with the ranges of one picture. */
  TrainingCase start(Architecture architecture) {
    SplittableRandom random = new SplittableRandom(1);
    return TrainingCase.calibrated(
            architecture.name(),
            architecture,
            Scheme.EXACT,
            0.1,
            new CrossEntropy(0, 1),
            TrainingCase.weights(architecture, random, 0.02),
            List.of(StepPictures.random(random, architecture, false, 1)),
            1e-6)
        .withSteps(List.of(StepPictures.random(random, architecture, false, pictures)));
  }

  /**
   * Puts the median step, its memory and its kernels into a row; kernels are timed where all work
   * is launched here, so not with a library's.
   */
  void measure(TrainingCase start, DeviceWay way, ObjectNode row) {
    row.put("model", start.name()).put("batch", pictures).put("precision", way.precision().name());
    row.put("recompute", way.recompute());
    DriverDevice device = devices.get();
    WatchedDevice watched = new WatchedDevice(device);
    try (DeviceRun run = new DeviceRun(start, watched.device(), way)) {
      row.put("products", run.products());
      for (int i = 0; i < WARM_UP; i++) {
        run.step();
      }
      double[] times = new double[samples];
      for (int i = 0; i < samples; i++) {
        long before = System.nanoTime();
        run.step();
        times[i] = (System.nanoTime() - before) / 1e6;
      }
      Arrays.sort(times);
      row.put("step_ms", times[samples / 2]).put("least_ms", times[0]);
      row.put("device_bytes", watched.most());
      if (!way.library()) {
        try (EventClock clock = new EventClock(device)) {
          kernels(run, watched, clock, row);
        }
      }
    }
  }

  /** Time from one launch's end to the next one's: where the host is slower, its time too. */
  private static void kernels(
      StepRun run, WatchedDevice watched, EventClock clock, ObjectNode row) {
    List<Launch> launches = new ArrayList<>();
    clock.mark();
    watched.listener(
        launch -> {
          launches.add(launch);
          clock.mark();
        });
    run.step();
    watched.listener(null);
    double[] times = clock.intervals();
    Map<String, double[]> table = new LinkedHashMap<>();
    double sum = 0;
    for (int i = 0; i < times.length; i++) {
      Launch launch = launches.get(i);
      String key =
          "%s %dx%dx%d".formatted(launch.kernel(), launch.gridX(), launch.gridY(), launch.gridZ());
      double[] entry = table.computeIfAbsent(key, k -> new double[2]);
      entry[0]++;
      entry[1] += times[i];
      sum += times[i];
    }
    row.put("launches", times.length).put("kernels_ms", sum);
    ArrayNode rows = row.putArray("kernels");
    table.forEach(
        (key, entry) ->
            rows.addObject()
                .put("kernel", key)
                .put("launches", (int) entry[0])
                .put("ms", entry[1]));
  }
}
