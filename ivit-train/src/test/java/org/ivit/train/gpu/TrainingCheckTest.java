package org.ivit.train.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.ivit.core.cuda.EmulatedDevice;
import org.ivit.core.testing.ClassPath;
import org.ivit.train.device.product.ProductPrecision;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code scripts/gpu-check} runs, on an emulated GPU and at micro size. */
class TrainingCheckTest {
  private static final List<String> CLASSES = List.of("ivit-", "classes", "test-classes");

  private static final DeviceWay SINGLE = DeviceWay.of(ProductPrecision.FLOAT32);

  @TempDir Path folder;

  private static String emulator() {
    String library = System.getProperty("ivit.cuda.emulator", "none");
    assumeTrue(Files.exists(Path.of(library)), "skipped: no C++ compiler, so no emulator of CUDA");
    return library;
  }

  /** In the names of what the bundle has of the libraries. */
  private static List<String> libraries() throws IOException {
    Path script = Path.of(System.getProperty("ivit.root"), "scripts", "gpu-bundle");
    String line =
        Files.readAllLines(script).stream()
            .filter(l -> l.startsWith("libraries='"))
            .findFirst()
            .orElseThrow();
    return List.of(line.substring("libraries='".length(), line.length() - 1).split(" "));
  }

  /** This class path without Deeplearning4j, ND4J, JavaCPP, OpenBLAS and test frameworks. */
  private static String bare() throws IOException {
    List<String> libraries = libraries();
    return ClassPath.entries().stream()
        .filter(
            path -> {
              String name = path.getFileName().toString();
              return CLASSES.stream().anyMatch(name::startsWith)
                  || libraries.stream().anyMatch(name::startsWith);
            })
        .map(Path::toString)
        .collect(Collectors.joining(File.pathSeparator));
  }

  private int run(String driver, String... arguments) throws Exception {
    List<String> command =
        new java.util.ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-Divit.cuda.driver=" + driver,
                "-Divit.cuda.cublasLt=" + driver,
                "-Dslf4j.internal.verbosity=ERROR",
                "-cp",
                bare(),
                TrainingCheck.class.getName()));
    command.addAll(Arrays.asList(arguments));
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("log").toFile())
            .start();
    return process.waitFor();
  }

  @Test
  void passesWithoutDeeplearning4j() throws Exception {
    String driver = emulator();
    assertThat(bare()).doesNotContain("nd4j", "deeplearning4j", "bytedeco", "openblas", "junit");
    Path json = folder.resolve("gpu.json");
    Files.writeString(json, "{\"equal\": true}");
    int code = run(driver, folder.toString(), json.toString(), "micro");
    assertThat(code).as(Files.readString(folder.resolve("log"))).isZero();
    JsonNode file = new ObjectMapper().readTree(json.toFile());
    assertThat(file.get("equal").booleanValue()).as("what was there").isTrue();
    JsonNode training = file.get("training");
    assertThat(training.get("passed").booleanValue()).isTrue();
    assertThat(training.findValuesAsText("name"))
        .contains(
            "killed and resumed, FLOAT32",
            "learning curves",
            "4 steps of vit, FLOAT32",
            "2 steps of vit, FLOAT32, recomputed",
            "3 steps of vit, FLOAT32 by cuBLASLt");
    assertThat(training.get("kernels_checked").toString()).contains("\"adam\"");
    assertThat(training.get("kernels_not_checked").toString())
        .contains("\"attention_observed_256\"")
        .doesNotContain("\"adam\"");
    assertThat(training.get("learning_curves").get("bf16").get("losses")).hasSize(4);
    assertThat(training.get("steps")).hasSize(7);
    for (JsonNode row : training.get("steps")) {
      assertThat(row.get("step_ms").doubleValue()).isPositive();
      assertThat(row.get("device_bytes").longValue()).isPositive();
      if (!row.get("products").textValue().contains("cuBLASLt")) {
        checkKernels(row);
      }
    }
  }

  private static void checkKernels(JsonNode row) {
    assertThat(row.get("kernels").findValuesAsText("kernel"))
        .anyMatch(kernel -> kernel.startsWith("adam "))
        .anyMatch(kernel -> kernel.startsWith("product_"));
    assertThat(row.get("launches").intValue())
        .isEqualTo(
            row.get("kernels").findValues("launches").stream().mapToInt(JsonNode::intValue).sum());
  }

  @Test
  void saysThatThereIsNoDriver() throws Exception {
    Path json = folder.resolve("none.json");
    String missing = folder.resolve("nothing.so").toString();
    assertThat(run(missing, folder.toString(), json.toString())).isEqualTo(2);
    assertThat(Files.readString(folder.resolve("log")))
        .startsWith("gpu-check: ")
        .contains("no NVIDIA driver");
    assertThat(json).doesNotExist();
  }

  @Test
  void noticesOtherSteps() {
    emulator();
    TrainingCase start = MicroCase.all().get(0).start();
    TrainingCase other = start.withSteps(start.steps().subList(1, 2));
    ObjectNode row = JsonNodeFactory.instance.objectNode();
    try (StepRun host = new HostRun(start);
        StepRun device = new DeviceRun(other, new EmulatedDevice(2, 200_000), SINGLE)) {
      assertThat(new Lockstep().agrees(host, device, ProductPrecision.FLOAT32, 1, row)).isFalse();
    }
    assertThat(row.get("ranges_equal").booleanValue()).isFalse();
    assertThat(row.get("gradient").doubleValue()).isGreaterThan(0.1);
  }

  @Test
  void noticesOtherMoves() {
    emulator();
    TrainingCase start = MicroCase.all().get(0).start();
    ObjectNode row = JsonNodeFactory.instance.objectNode();
    try (StepRun host = new HostRun(start);
        StepRun device =
            new DeviceRun(start.withLearningRate(2e-3), new EmulatedDevice(2, 200_000), SINGLE)) {
      assertThat(new Lockstep().agrees(host, device, ProductPrecision.FLOAT32, 1, row)).isFalse();
    }
    assertThat(row.get("ranges_equal").booleanValue()).isTrue();
  }

  @Test
  void keepsStatesToTheBit() throws IOException {
    TrainingCase start = MicroCase.all().get(0).start();
    Path file = folder.resolve("state.safetensors");
    try (StepRun run = new HostRun(start);
        StepRun other = new HostRun(start)) {
      run.step();
      StepState state = StepState.of(run);
      state.write(file);
      StepState.read(file).restore(other);
      assertThat(StepState.of(other).differences(state)).isZero();
      run.step();
      assertThat(StepState.of(run).differences(state)).isPositive();
      other.step();
      assertThat(StepState.of(other).differences(StepState.of(run))).isZero();
    }
  }

  @Test
  void measuresCurves() {
    LearningCurves.Difference difference =
        LearningCurves.Difference.of(new double[] {2, 2.02, 1}, new double[] {2, 2, 1});
    assertThat(difference.first()).isEqualTo(1);
    assertThat(difference.largest()).isCloseTo(0.02 / 2, within(1e-12));
    assertThat(difference.ofMeans()).isCloseTo(0.02 / 5, within(1e-12));
    assertThat(difference.mean()).isCloseTo(0.01 / 3, within(1e-12));
    assertThat(LearningCurves.Difference.of(new double[] {Double.NaN}, new double[] {1}).largest())
        .isNaN();
  }
}
