package org.ivit.core.engine.cuda;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.arithmetic.PixelTable;
import org.ivit.core.checkpoint.CheckpointFile;
import org.ivit.core.checkpoint.IntegerCheckpoint;
import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.DeviceFaultException;
import org.ivit.core.cuda.DriverDevice;
import org.ivit.core.cuda.Gpu;
import org.ivit.core.engine.Engine;
import org.ivit.core.engine.choice.EngineConfig;
import org.ivit.core.engine.choice.Engines;
import org.ivit.core.engine.reference.ReferenceEngine;
import org.ivit.core.family.Architectures;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.testing.ObservedModel;

/**
 * Proof and measurement on a GPU, for {@code scripts/gpu-check}: operators, small models, large
 * models of generated weights and given checkpoints against the other engines, then the times.
 * Needs no test framework.
 *
 * <p>{@code GpuCheck FOLDER JSON [quick|micro] [models=A,B] [batches=1,8] [minutes=N]}: the folder
 * holds checkpoints and beside them {@code NAME.pictures}, the pictures as they are cropped, u8
 * RGB. {@code quick} takes few small models and no large one, {@code micro} two of each kind;
 * {@code models} are names of large ones. Ends with 0 where every integer is equal, 1 where not or
 * where a kernel fails, 2 where there is no GPU that will do.
 */
public final class GpuCheck {
  private static final List<String> GENERATED =
      List.of(
          "deit_tiny_patch16_224",
          "deit_small_patch16_224",
          "deit_base_patch16_224",
          "swin_tiny_patch4_window7_224",
          "swin_small_patch4_window7_224",
          "vit_large_patch16_224",
          "vit_small_plus_patch16_dinov3",
          "eva02_base_patch14_224");

  /**
   * How a GPU is used.
   *
   * @param warpgroups whether by Hopper's products of warpgroups
   * @param tensorMaps whether by clusters where they suit
   * @param dependentLaunches whether kernels are started before the one in front has ended
   */
  private record Way(boolean warpgroups, boolean tensorMaps, boolean dependentLaunches) {
    Gpu of(Gpu gpu) {
      return gpu.withWarpgroups(warpgroups)
          .withTensorMaps(tensorMaps)
          .withDependentLaunches(dependentLaunches);
    }

    String as(int multiprocessors) {
      return multiprocessors == 0
          ? toString()
          : "%s, as on %d multiprocessors".formatted(this, multiprocessors);
    }

    @Override
    public String toString() {
      return (tensorMaps ? ", by clusters" : warpgroups ? ", by warpgroups" : "")
          + (dependentLaunches ? ", by dependent launches" : "");
    }
  }

  /** What operators and small models run with: large tiles, some of each, those of the GPU. */
  private static final int[] MULTIPROCESSORS = {1, 9, 0};

  private static final List<LinearChecks.Size> NO_SIZES = List.of();

  /** Pictures of a pass in which all products have their largest tile. */
  private static final int LARGE_BATCH = 128;

  private final PrintStream out = System.out;
  private final ObjectNode result = JsonNodeFactory.instance.objectNode();
  private final ArrayNode checks = result.putArray("checks");
  private final ArrayNode benchmark = result.putArray("benchmark");
  private final List<Way> ways = new ArrayList<>(List.of(new Way(false, false, false)));
  private final Set<String> kernels = new TreeSet<>();
  private final Gpu gpu = EngineConfig.standard().gpu();
  private final long begin = System.nanoTime();
  private final Path json;
  private final CheckOptions options;
  private boolean equal = true;

  private GpuCheck(Path json, CheckOptions options) {
    this.json = json;
    this.options = options;
  }

  /** Runs the check. */
  public static void main(String[] arguments) throws IOException {
    System.exit(run(arguments));
  }

  /** Runs the check and returns the code to end with. */
  static int run(String... arguments) throws IOException {
    GpuCheck check;
    try {
      check =
          new GpuCheck(
              Path.of(arguments[1]),
              CheckOptions.of(List.of(arguments).subList(2, arguments.length)));
      check.describe();
    } catch (InputException e) {
      System.err.println("gpu-check: " + e.getMessage());
      return 2;
    }
    try {
      check.run(Path.of(arguments[0]));
    } catch (InputException | DeviceFaultException e) {
      check.failed(e.getMessage());
    }
    return check.equal ? 0 : 1;
  }

  /** What began did not end: no answer of it is known. */
  private void failed(String message) {
    equal = false;
    checks.addObject().put("name", "run to the end").put("error", message);
    write();
    System.err.println("gpu-check: " + message);
  }

  private void run(Path folder) throws IOException {
    boolean micro = options.mode() == CheckOptions.Mode.MICRO;
    List<LinearChecks.Size> sizes = micro ? LinearChecks.SIZES.subList(0, 2) : LinearChecks.SIZES;
    List<LinearChecks.Size> epilogues =
        micro ? EpilogueChecks.SIZES.subList(1, 2) : EpilogueChecks.SIZES;
    List<LinearChecks.Size> ofClusters = micro ? NO_SIZES : LinearChecks.OF_CLUSTERS;
    for (Way way : ways) {
      for (int multiprocessors : MULTIPROCESSORS) {
        try (Device device = open(way, multiprocessors)) {
          for (LinearChecks.Size size : sizes) {
            record(
                "linear " + size + way.as(multiprocessors), LinearChecks.differences(device, size));
          }
          for (LinearChecks.Size size : way.tensorMaps() ? ofClusters : NO_SIZES) {
            record(
                "linear " + size + way.as(multiprocessors),
                LinearChecks.differencesOfCodes(device, size));
          }
          for (LinearChecks.Size size : epilogues) {
            record(
                "epilogues " + size + way.as(multiprocessors),
                EpilogueChecks.differencesOfSums(device, size)
                    + EpilogueChecks.differencesOfGelu(device, size));
          }
        }
      }
    }
    for (MicroModels.Micro model : micros()) {
      IntegerGraph graph = model.graph();
      byte[] codes = MicroModels.pictures(graph, 3, model.seed());
      try (ReferenceEngine reference = new ReferenceEngine(graph)) {
        compare(model.name(), graph, reference, codes, 3, MULTIPROCESSORS);
      }
    }
    for (Path file : checkpoints(folder)) {
      if (options.wants(file.getFileName().toString()) && inTime()) {
        given(file);
      }
    }
    for (String name : options.full() ? GENERATED : List.<String>of()) {
      if (options.wants(name) && inTime()) {
        generated(Architectures.byName(name));
      }
    }
  }

  private List<MicroModels.Micro> micros() {
    List<MicroModels.Micro> all = new ArrayList<>(MicroModels.vits());
    all.addAll(MicroModels.swins());
    all.addAll(MicroModels.forged());
    all.addAll(MicroModels.families());
    all.addAll(MicroModels.rotaryOrGated());
    all.addAll(MicroModels.fewerBits());
    all.add(MicroModels.longRows());
    return switch (options.mode()) {
      case FULL -> all;
      case QUICK -> all.subList(0, 6);
      case MICRO -> all.subList(0, 1);
    };
  }

  /** Whether there is time for more; says so once there is none. */
  private boolean inTime() {
    boolean in = System.nanoTime() - begin < options.minutes() * 60e9;
    if (!in && !result.has("stopped_after_minutes")) {
      result.put("stopped_after_minutes", options.minutes());
      write();
    }
    return in;
  }

  private Device open(Way way, int multiprocessors) {
    return CheckedDevice.of(
        DriverDevice.open(CudaEngine.KERNELS, way.of(gpu)), multiprocessors, kernels);
  }

  /** What a Hopper with a new driver can do besides, one thing after the other. */
  private void describe() {
    try (DriverDevice device =
        DriverDevice.open(CudaEngine.KERNELS, new Way(true, true, true).of(gpu))) {
      boolean dependent = device.dependentLaunches();
      if (dependent) {
        ways.add(new Way(false, false, true));
      }
      if (device.warpgroups()) {
        ways.add(new Way(true, false, dependent));
      }
      if (device.tensorMaps()) {
        ways.add(new Way(true, true, dependent));
      }
      result.put("gpu", device.name());
      result.put("multiprocessors", device.multiprocessors());
      result.put("date", Instant.now().toString());
      result.put("commit", System.getProperty("ivit.gpu.commit", "unknown"));
      result.put("compute_sanitizer", System.getProperty("ivit.gpu.sanitizer", "not run"));
    }
  }

  private static List<Path> checkpoints(Path folder) throws IOException {
    try (var files = Files.list(folder)) {
      return files.filter(f -> f.toString().endsWith(".ivit.safetensors")).sorted().toList();
    }
  }

  private void given(Path file) throws IOException {
    IntegerCheckpoint checkpoint = CheckpointFile.read(file);
    IntegerGraph graph = checkpoint.graph();
    var preprocess = checkpoint.preprocess();
    byte[] rgb = Files.readAllBytes(Path.of(file + ".pictures"));
    int size = graph.architecture().pixels();
    int pictures = !options.full() ? 1 : rgb.length / size;
    byte[] codes =
        PixelTable.of(preprocess.mean(), preprocess.std(), graph.inputScale())
            .apply(Arrays.copyOf(rgb, pictures * size), pictures);
    try (ReferenceEngine reference = new ReferenceEngine(graph)) {
      compare(file.getFileName().toString(), graph, reference, codes, pictures, 0);
    }
    if (options.full()) {
      compareBatches(file.getFileName().toString(), graph);
      measure(file.getFileName().toString(), graph);
    }
  }

  private void generated(Architecture architecture) {
    IntegerGraph graph = ObservedModel.graph(architecture, Scheme.EXACT, new Random(1));
    byte[] codes = MicroModels.pictures(graph, 9, 2);
    try (Engine cpu = Engines.open(graph, "cpu")) {
      compare(architecture.name(), graph, cpu, codes, 9, 0);
    }
    compareBatches(architecture.name(), graph);
    measure(architecture.name(), graph);
  }

  /** All pictures at once, and the first by itself, with each number of multiprocessors. */
  private void compare(
      String name,
      IntegerGraph graph,
      Engine judge,
      byte[] codes,
      int pictures,
      int... multiprocessors) {
    int[] expected = judge.logits(codes, pictures);
    int classes = graph.architecture().classes();
    for (Way way : ways) {
      for (int count : multiprocessors) {
        try (CudaEngine engine = new CudaEngine(graph, open(way, count), "check")) {
          int differences = differences(expected, engine.logits(codes, pictures));
          byte[] one = Arrays.copyOf(codes, codes.length / pictures);
          differences += differences(Arrays.copyOf(expected, classes), engine.logits(one, 1));
          record(name + way.as(count), differences);
        }
      }
    }
  }

  /** The pass that is timed with large tiles, beside each of its pictures by itself. */
  private void compareBatches(String name, IntegerGraph graph) {
    byte[] codes = MicroModels.pictures(graph, LARGE_BATCH, 3);
    int classes = graph.architecture().classes();
    int bytes = codes.length / LARGE_BATCH;
    for (Way way : ways) {
      try (CudaEngine engine = new CudaEngine(graph, open(way, 0), "check")) {
        int[] together = engine.logits(codes, LARGE_BATCH);
        int differences = 0;
        for (int i = 0; i < LARGE_BATCH; i++) {
          int[] alone = engine.logits(Arrays.copyOfRange(codes, i * bytes, (i + 1) * bytes), 1);
          differences +=
              differences(alone, Arrays.copyOfRange(together, i * classes, (i + 1) * classes));
        }
        record(
            "%s, %d pictures beside each alone%s".formatted(name, LARGE_BATCH, way), differences);
      }
    }
  }

  private static int differences(int[] expected, int[] found) {
    int differences = 0;
    for (int i = 0; i < expected.length; i++) {
      differences += expected[i] == found[i] ? 0 : 1;
    }
    return differences;
  }

  private void record(String name, int differences) {
    equal &= differences == 0;
    checks.addObject().put("name", name).put("differences", differences);
    write();
    out.printf("%-6s %s%n", differences == 0 ? "equal" : "DIFFER", name);
  }

  private void measure(String name, IntegerGraph graph) {
    for (Way way : ways) {
      measure(name, graph, way);
    }
  }

  private void measure(String name, IntegerGraph graph, Way way) {
    for (int batch : options.batches()) {
      if (!inTime()) {
        return;
      }
      try (GpuBenchmark run =
          new GpuBenchmark(graph, open(way, 0), batch, GpuBenchmark.Effort.USUAL)) {
        ObjectNode row = benchmark.addObject().put("model", name).put("batch", batch);
        row.put("wgmma", way.warpgroups())
            .put("tma", way.tensorMaps())
            .put("pdl", way.dependentLaunches());
        run.measure(row);
        write();
        out.printf(
            "%s%s, batch %d: %.4f ms on the GPU, %.4f ms with copies%n",
            name, way, batch, row.get("device_ms").doubleValue(), row.get("call_ms").doubleValue());
      }
    }
  }

  /** After every step, so that a run that was cut off leaves what it had. */
  private void write() {
    result.put("equal", equal);
    ArrayNode checked = result.putArray("kernels_checked");
    kernels.forEach(checked::add);
    try {
      new ObjectMapper()
          .enable(SerializationFeature.INDENT_OUTPUT)
          .writeValue(json.toFile(), result);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
