package org.ivit.core.engine.cuda;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.DriverDevice;
import org.ivit.core.cuda.Gpu;
import org.ivit.core.cuda.Launch;
import org.ivit.core.engine.cuda.layer.Constants;
import org.ivit.core.graph.IntegerGraph;

/** Times of one model and batch on a GPU. */
final class GpuBenchmark implements AutoCloseable {
  private static final int SAMPLES = 30;

  /** A sample lasts about so long, so that the clock's steps do not matter. */
  private static final double SAMPLE_MS = 20;

  private final Device device;
  private final Constants constants;
  private final Forward forward;
  private final int pictures;
  private final PassBuffers buffers = new PassBuffers();

  GpuBenchmark(IntegerGraph graph, Gpu gpu, int pictures) {
    this.pictures = pictures;
    device = DriverDevice.open(CudaEngine.KERNELS, gpu);
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
    long input = forward.pixels(buffers, pictures);
    long output = forward.logits(buffers, pictures);
    try (Device.Replay replay = device.record(launches)) {
      Runnable call =
          () -> replay.run(codes, 0, input, codes.length, output, logits, 0, logits.length);
      call.run();
      row.put("call_ms", median(times -> repeat(call, times)));
      row.put("device_ms", median(replay::repeat));
    }
    row.put("launches", launches.size());
    kernels(launches, row.putArray("kernels"));
  }

  private static void repeat(Runnable body, int times) {
    for (int i = 0; i < times; i++) {
      body.run();
    }
  }

  /** Each launch by itself, the equal ones summed up; what they read lies in the cache then. */
  private void kernels(List<Launch> launches, ArrayNode rows) {
    Map<String, Integer> counts = new LinkedHashMap<>();
    Map<String, Launch> kinds = new LinkedHashMap<>();
    for (Launch launch : launches) {
      String kind =
          "%s %dx%dx%d".formatted(launch.kernel(), launch.gridX(), launch.gridY(), launch.gridZ());
      counts.merge(kind, 1, Integer::sum);
      kinds.put(kind, launch);
    }
    kinds.forEach(
        (kind, launch) -> {
          try (Device.Replay replay = device.record(List.of(launch))) {
            rows.addObject()
                .put("kernel", kind)
                .put("launches", counts.get(kind))
                .put("ms_each", median(replay::repeat));
          }
        });
  }

  /** What runs something so many times. */
  private interface Repeated {
    void run(int times);
  }

  private static double median(Repeated body) {
    body.run(10);
    long start = System.nanoTime();
    body.run(10);
    double once = (System.nanoTime() - start) / 1e7;
    int times = (int) Math.max(1, Math.min(10_000, SAMPLE_MS / once));
    double[] samples = new double[SAMPLES];
    for (int i = 0; i < SAMPLES; i++) {
      start = System.nanoTime();
      body.run(times);
      samples[i] = (System.nanoTime() - start) / 1e6 / times;
    }
    Arrays.sort(samples);
    return samples[SAMPLES / 2];
  }

  @Override
  public void close() {
    buffers.close();
    constants.close();
    device.close();
  }
}
