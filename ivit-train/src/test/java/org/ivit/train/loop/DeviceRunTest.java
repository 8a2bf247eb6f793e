package org.ivit.train.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.jna.Library;
import com.sun.jna.Native;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.ivit.core.InputException;
import org.ivit.core.cuda.Gpu;
import org.ivit.core.graph.FloatWeights;
import org.ivit.train.loading.Loading;
import org.ivit.train.monitor.TrainingMonitor;
import org.ivit.train.recipe.Recipe;
import org.ivit.train.recipe.TrainingDevice;
import org.ivit.train.run.RunDirectory;
import org.ivit.train.run.TrainingCheckpoint;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Runs of recipes on a GPU whose driver and kernels are emulated, beside those on the processor.
 */
class DeviceRunTest {
  private static final String DRIVER = "ivit.cuda.driver";

  /** How a test sets up the driver. */
  interface Fake extends Library {
    void fake_driver_set(int version, int devices, int capability, String failing);

    void fake_driver_early(int early);

    int fake_driver_live();
  }

  private static final String FLOAT =
      """
      architecture: {kind: vit, image: 16, patch: 8, dim: 12, depth: 2, heads: 2, classes: 10}
      precision: float
      data: {train: {procedural: {pictures: 16, size: 16, seed: 1}}}
      augmentation: {randomResizedCrop: none, flip: 0, colorJitter: 0, randomErasing: 0}
      optimizer: {learningRate: 0.002, batchSize: 8}
      schedule: {epochs: 1}
      threads: 2
      """;

  @TempDir Path folder;

  private Fake fake;
  private int before;

  @BeforeEach
  void load() {
    String library = System.getProperty("ivit.cuda.emulator", "none");
    assumeTrue(Files.exists(Path.of(library)), "skipped: no C++ compiler, so no emulator of CUDA");
    fake = Native.load(library, Fake.class);
    fake.fake_driver_set(13000, 1, 90, "");
    System.setProperty(DRIVER, library);
    before = fake.fake_driver_live();
  }

  @AfterEach
  void unload() {
    System.clearProperty(DRIVER);
  }

  private String quantized(String device) {
    RunDirectory start = run(FLOAT, "float");
    return """
    architecture: {kind: vit, image: 16, patch: 8, dim: 12, depth: 2, heads: 2, classes: 10}
    weights: %s
    quantization: {calibration: {pictures: 16, batchSize: 8}, freezeEpoch: 1}
    data:
      train: {procedural: {pictures: 24, size: 16, seed: 1}}
      validation: {procedural: {pictures: 10, size: 16, seed: 2}}
    augmentation: {randomResizedCrop: none, flip: 0, colorJitter: 0, randomErasing: 0}
    distillation: {weight: 0.5, temperature: 2}
    optimizer: {learningRate: 0.0005, batchSize: 4, accumulation: 2, clipNorm: 1}
    schedule: {epochs: 2}
    stochasticDepth: 0.2
    ema: {decay: 0.9}
    threads: 2
    checkpoints: {every: 1, keep: 9}
    device: %s
    gpu: {products: float32}
    """
        .formatted(start.path().resolve("checkpoints/2/weights.safetensors"), device);
  }

  private RunDirectory run(String yaml, String output) {
    Path path = folder.resolve(output);
    if (Files.exists(path)) {
      return RunDirectory.open(path);
    }
    return Trainer.start(
        Recipe.parse("test.yaml", yaml, List.of()).withOutput(path), TrainingMonitor.SILENT);
  }

  private static void assertAlike(TrainingCheckpoint a, TrainingCheckpoint b) {
    assertThat(b.state().step()).isEqualTo(a.state().step());
    a.weights()
        .values()
        .forEach((name, values) -> assertAlike(name, values, b.weights().get(name)));
    a.average()
        .values()
        .forEach((name, values) -> assertAlike(name, values, b.average().get(name)));
    assertAlike("optimizer", a.optimizer(), b.optimizer());
  }

  /** Rounding may turn a code here and there, so the distance counts and not each number. */
  private static void assertAlike(String name, float[] a, float[] b) {
    double distance = 0;
    double length = 1e-12;
    for (int i = 0; i < a.length; i++) {
      distance += ((double) a[i] - b[i]) * ((double) a[i] - b[i]);
      length += (double) a[i] * a[i];
    }
    assertThat(Math.sqrt(distance / length)).as(name).isLessThan(0.05);
  }

  private static double firstLoss(RunDirectory run) throws IOException {
    String[] head = Files.readAllLines(run.metrics()).get(0).split(",", -1);
    String[] line = Files.readAllLines(run.metrics()).get(1).split(",", -1);
    return Double.parseDouble(line[List.of(head).indexOf("loss")]);
  }

  /**
   * The same weights with a projection: what were logits is a feature, and the start the teacher.
   */
  @Test
  void learnsTheFeaturesThatTheProcessorLearns() throws IOException {
    String features = "classes: 10, projection: true";
    RunDirectory cpu = run(quantized("cpu").replace("classes: 10", features), "cpu");
    RunDirectory cuda = run(quantized("cuda").replace("classes: 10", features), "cuda");
    assertThat(cuda.latest().state().finished()).isTrue();
    assertThat(firstLoss(cuda)).isCloseTo(firstLoss(cpu), within(1e-4 * firstLoss(cpu)));
    assertAlike(cpu.latest(), cuda.latest());
    assertThat(fake.fake_driver_live()).isEqualTo(before);
  }

  @Test
  void learnsWhatTheProcessorLearns() throws IOException {
    RunDirectory cpu = run(quantized("cpu"), "cpu");
    RunDirectory cuda = run(quantized("cuda"), "cuda");
    assertThat(cuda.latest().state().finished()).isTrue();
    assertAlike(cpu.latest(), cuda.latest());
    assertThat(firstLoss(cuda)).isCloseTo(firstLoss(cpu), within(1e-5));
    assertThat(fake.fake_driver_live()).as("what was not freed").isEqualTo(before);
  }

  /** Calibration makes grids of 4 bits, which steps on the device move as those here do. */
  @Test
  void learnsTheGridsThatTheProcessorLearns() throws IOException {
    String eight = "quantization: {calibration";
    String four = "quantization: {weights: {bits: 4}, calibration";
    RunDirectory cpu = run(quantized("cpu").replace(eight, four), "cpu");
    RunDirectory cuda = run(quantized("cuda").replace(eight, four), "cuda");
    FloatWeights weights = cuda.latest().weights();
    assertThat(weights.grids()).isNotEmpty();
    assertThat(weights.grids().keySet()).isEqualTo(cpu.latest().weights().grids().keySet());
    assertThat(weights.values()).containsKey("blocks.0.mlp.fc1.weight_grid");
    assertAlike(cpu.latest(), cuda.latest());
    assertThat(firstLoss(cuda)).isCloseTo(firstLoss(cpu), within(1e-5));
    assertThat(fake.fake_driver_live()).isEqualTo(before);
  }

  /** Crops, colours, erasing, mixup and cutmix: the device finishes what the loader begins. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void augmentsAsTheProcessorDoes(int early) throws IOException {
    fake.fake_driver_early(early);
    String plain =
        "augmentation: {randomResizedCrop: none, flip: 0, colorJitter: 0, randomErasing: 0}";
    String augmented =
        "augmentation: {mixup: 0.8, cutmix: 1, mixupMode: elem, randomErasing: {probability: 0.8}}";
    try {
      assertThat(quantized("cpu")).contains(plain);
      RunDirectory cpu = run(quantized("cpu").replace(plain, augmented), "cpu");
      RunDirectory cuda = run(quantized("cuda").replace(plain, augmented), "cuda");
      assertAlike(cpu.latest(), cuda.latest());
      for (int step = 0; step < losses(cpu).size(); step++) {
        assertThat(losses(cuda).get(step))
            .isCloseTo(losses(cpu).get(step), within(step == 0 ? 1e-5 : 1e-3));
      }
    } finally {
      fake.fake_driver_early(0);
    }
    assertThat(fake.fake_driver_live()).as("what was not freed").isEqualTo(before);
  }

  private static List<Double> losses(RunDirectory run) throws IOException {
    List<Double> losses = new ArrayList<>();
    for (String line : Files.readAllLines(run.metrics())) {
      String field = line.split(",", -1)[2];
      if (!field.isEmpty() && !field.equals("loss")) {
        losses.add(Double.parseDouble(field));
      }
    }
    return losses;
  }

  /** Stops a run in the middle. */
  private static final class Stop extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  @Test
  void goesOnWhereAnotherDeviceStopped() {
    RunDirectory whole = run(quantized("cpu"), "whole");
    for (TrainingDevice first : TrainingDevice.values()) {
      Path path = folder.resolve("stopped on " + first);
      Recipe recipe =
          Recipe.parse("test.yaml", quantized("cpu"), List.of()).withOutput(path).withDevice(first);
      assertThatThrownBy(() -> Trainer.start(recipe, new StoppingMonitor(3)))
          .isInstanceOf(Stop.class);
      TrainingDevice second =
          first == TrainingDevice.CPU ? TrainingDevice.CUDA : TrainingDevice.CPU;
      RunDirectory resumed =
          Trainer.resume(RunDirectory.open(path), second, null, Gpu.FIRST, TrainingMonitor.SILENT);
      assertThat(resumed.latest().state().finished()).isTrue();
      assertAlike(whole.latest(), resumed.latest());
    }
    assertThat(fake.fake_driver_live()).as("what was not freed").isEqualTo(before);
  }

  @Test
  void learnsInFloatingPoint() throws IOException {
    RunDirectory cpu = run(FLOAT, "float on the processor");
    RunDirectory cuda =
        run(FLOAT + "device: cuda\ngpu: {products: float32, recompute: true}\n", "float on a GPU");
    assertThat(cuda.latest().state().finished()).isTrue();
    cpu.latest()
        .weights()
        .values()
        .forEach((name, values) -> assertAlike(name, values, cuda.latest().weights().get(name)));
    assertThat(firstLoss(cuda)).isCloseTo(firstLoss(cpu), within(1e-5));
    assertThat(fake.fake_driver_live()).as("what was not freed").isEqualTo(before);
  }

  @Test
  void saysWhatIsMissing() {
    System.setProperty(DRIVER, folder.resolve("nothing.so").toString());
    String yaml = quantized("cuda");
    assertThatThrownBy(() -> run(yaml, "none"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("no NVIDIA driver");
    assertThat(folder.resolve("none")).doesNotExist();
  }

  /** Stops before a step is counted. */
  private static final class StoppingMonitor implements TrainingMonitor {
    private final int at;

    StoppingMonitor(int at) {
      this.at = at;
    }

    @Override
    public void step(
        int step, int total, int epoch, double loss, double picturesPerSecond, Loading loading) {
      if (step == at) {
        throw new Stop();
      }
    }
  }
}
