package org.ivit.core.engine.cuda;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.Launch;
import org.ivit.core.engine.cuda.layer.Constants;
import org.ivit.core.engine.cuda.layer.LinearArguments;
import org.ivit.core.graph.IntegerGraph;

/** Times of one model and batch on a GPU. */
final class GpuBenchmark implements AutoCloseable {
  /**
   * How much is measured.
   *
   * @param samples of which the median is taken
   * @param sampleMs a sample lasts about so long, so that the clock's steps do not matter
   * @param warmUp runs before
   * @param copies of a kernel in one graph, so that the start of a graph does not matter
   */
  record Effort(int samples, double sampleMs, int warmUp, int copies) {
    static final Effort USUAL = new Effort(30, 20, 10, 50);
  }

  private final Effort effort;

  private final Device device;
  private final Constants constants;
  private final Forward forward;
  private final int pictures;
  private final PassBuffers buffers = new PassBuffers();

  /**
   * @param device closed with this
   */
  GpuBenchmark(IntegerGraph graph, Device device, int pictures, Effort effort) {
    this.pictures = pictures;
    this.device = device;
    this.effort = effort;
    constants = new Constants(device);
    forward = new Forward(constants, graph);
    forward.launches(buffers, pictures);
    forward.logits(buffers, pictures);
    buffers.allocate(device);
  }

  /** Puts the median of the whole pass, of a call with its copies, and of each kernel. */
  void measure(ObjectNode row) {
    List<Launch> launches = forward.launches(buffers, pictures);
    byte[] codes = new byte[pictures * forward.pictureBytes()];
    new Random(1).nextBytes(codes);
    int[] logits = new int[pictures * forward.classes()];
    try (Device.Replay replay = device.record(launches)) {
      row.put("device_ms", median(replay::repeat));
    }
    try (Device.Pass pass = device.record(launches, forward.transfers(buffers, pictures))) {
      Runnable call = () -> pass.run(codes, 0, logits, 0);
      row.put("call_ms", median(times -> repeat(call, times)));
    }
    row.put("launches", launches.size());
    kernels(launches, row.putArray("kernels"));
  }

  private static void repeat(Runnable body, int times) {
    for (int i = 0; i < times; i++) {
      body.run();
    }
  }

  /**
   * Each kind of launch by itself, many of it in one graph, equal ones counted; what they read lies
   * in the cache then.
   */
  private void kernels(List<Launch> launches, ArrayNode rows) {
    Map<String, Integer> counts = new LinkedHashMap<>();
    Map<String, Launch> kinds = new LinkedHashMap<>();
    for (Launch launch : launches) {
      String kind = kind(launch);
      counts.merge(kind, 1, Integer::sum);
      kinds.put(kind, launch);
    }
    kinds.forEach(
        (kind, launch) -> {
          try (Device.Replay replay = device.record(Collections.nCopies(effort.copies(), launch))) {
            rows.addObject()
                .put("kernel", kind)
                .put("launches", counts.get(kind))
                .put("ms_each", median(replay::repeat) / effort.copies());
          }
        });
  }

  /** Kernel, grid, and of products depth and columns, by which those of one grid differ. */
  private static String kind(Launch launch) {
    String kind =
        "%s %dx%dx%d".formatted(launch.kernel(), launch.gridX(), launch.gridY(), launch.gridZ());
    if (!launch.kernel().startsWith("linear_")) {
      return kind;
    }
    // What products take begins with their LinearArguments.
    LinearArguments fields = new LinearArguments();
    return "%s K %d N %d"
        .formatted(
            kind,
            LaunchFields.number(launch, fields, "depth"),
            LaunchFields.number(launch, fields, "columns"));
  }

  /** What runs something so many times. */
  private interface Repeated {
    void run(int times);
  }

  private double median(Repeated body) {
    int warmUp = effort.warmUp();
    body.run(warmUp);
    long start = System.nanoTime();
    body.run(warmUp);
    double once = (System.nanoTime() - start) / 1e6 / warmUp;
    int times = (int) Math.max(1, Math.min(10_000, effort.sampleMs() / once));
    double[] samples = new double[effort.samples()];
    for (int i = 0; i < samples.length; i++) {
      start = System.nanoTime();
      body.run(times);
      samples[i] = (System.nanoTime() - start) / 1e6 / times;
    }
    Arrays.sort(samples);
    return samples[samples.length / 2];
  }

  @Override
  public void close() {
    buffers.close();
    constants.close();
    device.close();
  }
}
