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
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.arithmetic.PixelTable;
import org.ivit.core.checkpoint.CheckpointFile;
import org.ivit.core.checkpoint.IntegerCheckpoint;
import org.ivit.core.cuda.Device;
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
 * <p>{@code GpuCheck FOLDER JSON [quick]}: the folder holds checkpoints and beside them {@code
 * NAME.pictures}, the pictures as they are cropped, u8 RGB. Ends with 0 where every integer is
 * equal, 1 where not, 2 where there is no GPU.
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

  private static final int[] BATCHES = {1, 8, 32, 128};

  private final PrintStream out = System.out;
  private final ObjectNode result = JsonNodeFactory.instance.objectNode();
  private final ArrayNode checks = result.putArray("checks");
  private final ArrayNode benchmark = result.putArray("benchmark");
  private final List<Boolean> ways = new ArrayList<>(List.of(false));
  private final Gpu gpu = EngineConfig.standard().gpu();
  private final Path json;
  private boolean equal = true;

  private GpuCheck(Path json) {
    this.json = json;
  }

  /** Runs the check. */
  public static void main(String[] arguments) throws IOException {
    try {
      boolean quick = arguments.length > 2 && arguments[2].equals("quick");
      GpuCheck check = new GpuCheck(Path.of(arguments[1]));
      check.run(Path.of(arguments[0]), quick);
      System.exit(check.equal ? 0 : 1);
    } catch (InputException e) {
      System.err.println("gpu-check: " + e.getMessage());
      System.exit(2);
    }
  }

  private void run(Path folder, boolean quick) throws IOException {
    describe();
    for (boolean warpgroups : ways) {
      try (Device device = DriverDevice.open(CudaEngine.KERNELS, gpu.withWarpgroups(warpgroups))) {
        for (LinearChecks.Size size : LinearChecks.SIZES) {
          record("linear " + size + way(warpgroups), LinearChecks.differences(device, size));
        }
      }
    }
    List<MicroModels.Micro> micros = new ArrayList<>(MicroModels.vits());
    micros.addAll(MicroModels.swins());
    micros.addAll(MicroModels.forged());
    micros.addAll(MicroModels.families());
    micros.addAll(MicroModels.rotaryOrGated());
    micros.add(MicroModels.longRows());
    for (MicroModels.Micro micro : quick ? micros.subList(0, 6) : micros) {
      IntegerGraph graph = micro.graph();
      byte[] codes = MicroModels.pictures(graph, 3, micro.seed());
      try (ReferenceEngine reference = new ReferenceEngine(graph)) {
        compare(micro.name(), graph, reference, codes, 3);
      }
    }
    for (Path file : checkpoints(folder)) {
      given(file, quick);
    }
    for (String name : quick ? List.<String>of() : GENERATED) {
      generated(Architectures.byName(name));
    }
  }

  /** Both ways of Hopper's large products, where this is one. */
  private void describe() {
    try (Device device = DriverDevice.open(CudaEngine.KERNELS, gpu.withWarpgroups(true))) {
      if (device.warpgroups()) {
        ways.add(true);
      }
      result.put("gpu", device.name());
      result.put("multiprocessors", device.multiprocessors());
      result.put("date", Instant.now().toString());
      result.put("commit", System.getProperty("ivit.gpu.commit", "unknown"));
      result.put("compute_sanitizer", System.getProperty("ivit.gpu.sanitizer", "not run"));
    }
  }

  private static String way(boolean warpgroups) {
    return warpgroups ? ", by warpgroups" : "";
  }

  private static List<Path> checkpoints(Path folder) throws IOException {
    try (var files = Files.list(folder)) {
      return files.filter(f -> f.toString().endsWith(".ivit.safetensors")).sorted().toList();
    }
  }

  private void given(Path file, boolean quick) throws IOException {
    IntegerCheckpoint checkpoint = CheckpointFile.read(file);
    IntegerGraph graph = checkpoint.graph();
    var preprocess = checkpoint.preprocess();
    byte[] rgb = Files.readAllBytes(Path.of(file + ".pictures"));
    int size = graph.architecture().pixels();
    int pictures = quick ? 1 : rgb.length / size;
    byte[] codes =
        PixelTable.of(preprocess.mean(), preprocess.std(), graph.inputScale())
            .apply(Arrays.copyOf(rgb, pictures * size), pictures);
    try (ReferenceEngine reference = new ReferenceEngine(graph)) {
      compare(file.getFileName().toString(), graph, reference, codes, pictures);
    }
    if (!quick) {
      measure(file.getFileName().toString(), graph);
    }
  }

  private void generated(Architecture architecture) {
    IntegerGraph graph = ObservedModel.graph(architecture, Scheme.EXACT, new Random(1));
    byte[] codes = MicroModels.pictures(graph, 9, 2);
    try (Engine cpu = Engines.open(graph, "cpu")) {
      compare(architecture.name(), graph, cpu, codes, 9);
    }
    measure(architecture.name(), graph);
  }

  /** All pictures at once, and the first by itself. */
  private void compare(String name, IntegerGraph graph, Engine judge, byte[] codes, int pictures) {
    int[] expected = judge.logits(codes, pictures);
    int classes = graph.architecture().classes();
    for (boolean warpgroups : ways) {
      try (CudaEngine engine = CudaEngine.open(graph, gpu.withWarpgroups(warpgroups), "check")) {
        int differences = differences(expected, engine.logits(codes, pictures));
        byte[] one = Arrays.copyOf(codes, codes.length / pictures);
        differences += differences(Arrays.copyOf(expected, classes), engine.logits(one, 1));
        record(name + way(warpgroups), differences);
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
    for (boolean warpgroups : ways) {
      measure(name, graph, warpgroups);
    }
  }

  private void measure(String name, IntegerGraph graph, boolean warpgroups) {
    for (int batch : BATCHES) {
      try (GpuBenchmark run = new GpuBenchmark(graph, gpu.withWarpgroups(warpgroups), batch)) {
        ObjectNode row = benchmark.addObject().put("model", name).put("batch", batch);
        row.put("wgmma", warpgroups);
        run.measure(row);
        write();
        out.printf(
            "%s%s, batch %d: %.4f ms on the GPU, %.4f ms with copies%n",
            name,
            way(warpgroups),
            batch,
            row.get("device_ms").doubleValue(),
            row.get("call_ms").doubleValue());
      }
    }
  }

  /** After every step, so that a run that was cut off leaves what it had. */
  private void write() {
    result.put("equal", equal);
    try {
      new ObjectMapper()
          .enable(SerializationFeature.INDENT_OUTPUT)
          .writeValue(json.toFile(), result);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
