package org.ivit.train.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.ivit.core.InputException;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.tensor.Safetensors;
import org.ivit.core.tensor.Tensor;
import org.ivit.train.monitor.TrainingMonitor;
import org.ivit.train.recipe.Recipe;
import org.ivit.train.run.RunDirectory;
import org.ivit.train.run.TrainingCheckpoint;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainerTest {
  private static final String ARCHITECTURE =
      "architecture: {kind: vit, image: 16, patch: 8, dim: 12, depth: 2, heads: 2, classes: 10}\n";

  private static final String FLOAT =
      ARCHITECTURE
          + """
          precision: float
          data:
            train: {procedural: {pictures: 48, size: 16, seed: 1}}
            validation: {procedural: {pictures: 20, size: 16, seed: 2}}
          augmentation: {randomResizedCrop: none, flip: 0, colorJitter: 0, randomErasing: 0}
          optimizer: {learningRate: 0.002, batchSize: 8, accumulation: 2, clipNorm: 1}
          schedule: {epochs: 3, warmupEpochs: 1}
          stochasticDepth: 0.1
          ema: {decay: 0.9}
          threads: 2
          seed: 5
          checkpoints: {every: 2, keep: 2}
          """;

  private static String quantized(Path weights) {
    return ARCHITECTURE
        + "weights: "
        + weights
        + "\n"
        + """
        quantization: {calibration: {pictures: 16, batchSize: 8}, freezeEpoch: 2}
        data:
          train: {procedural: {pictures: 48, size: 16, seed: 1}}
          validation: {procedural: {pictures: 20, size: 16, seed: 2}}
        augmentation: {randomResizedCrop: none, flip: 0, colorJitter: 0, randomErasing: 0}
        distillation: {weight: 0.5, temperature: 2}
        optimizer: {learningRate: 0.0005, batchSize: 8}
        schedule: {epochs: 3}
        threads: 2
        checkpoints: {every: 4}
        """;
  }

  private static RunDirectory run(String yaml, Path output) {
    return Trainer.start(
        Recipe.parse("test.yaml", yaml, List.of()).withOutput(output), TrainingMonitor.SILENT);
  }

  private static void assertSame(RunDirectory a, RunDirectory b) {
    TrainingCheckpoint x = a.latest();
    TrainingCheckpoint y = b.latest();
    assertSame(x.weights(), y.weights());
    if (x.average() != null) {
      assertSame(x.average(), y.average());
    }
    assertThat(y.optimizer()).isEqualTo(x.optimizer());
    assertThat(y.ranges()).isEqualTo(x.ranges());
    assertThat(y.state()).isEqualTo(x.state());
  }

  private static void assertSame(FloatWeights x, FloatWeights y) {
    x.values().forEach((name, values) -> assertThat(y.get(name)).as(name).isEqualTo(values));
  }

  @Test
  void aFloatRunThenAQuantizedOneLearnAndRepeatBitForBit(@TempDir Path folder) {
    RunDirectory first = run(FLOAT, folder.resolve("float"));
    assertSame(first, run(FLOAT, folder.resolve("again")));
    assertThat(first.latest().state().step()).isEqualTo(9);
    assertThat(first.latest().state().finished()).isTrue();
    Path weights =
        folder.resolve("float/checkpoints/" + first.latest().state().step() + "/ema.safetensors");
    RunDirectory second = run(quantized(weights), folder.resolve("quantized"));
    assertSame(second, run(quantized(weights), folder.resolve("quantized-again")));
    assertThat(second.latest().scheme()).isNotNull();
    assertThat(second.latest().ranges()).isNotEmpty();
  }

  /** A projection's logits are a feature, whatever the pictures' classes are. */
  @Test
  void featuresAreLearnedFromATeacher(@TempDir Path folder) throws IOException {
    String features = ", classes: 7, projection: true}";
    Path weights = folder.resolve("weights.safetensors");
    Map<String, Tensor> random = new LinkedHashMap<>();
    Random numbers = new Random(1);
    RunDirectory.architecture(
            Recipe.parse("a.yaml", FLOAT.replace(", classes: 10}", features), List.of()))
        .parameters()
        .forEach(
            (name, shape) -> {
              float[] values = new float[(int) Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
              for (int i = 0; i < values.length; i++) {
                values[i] =
                    (float) numbers.nextGaussian() * 0.3f
                        + (name.matches(".*norm.*weight") ? 1 : 0);
              }
              random.put(name, Tensor.of(values, shape));
            });
    Safetensors.write(weights, random, Map.of());
    String recipe = quantized(weights).replace(", classes: 10}", features);
    List<Double> cosines = new ArrayList<>();
    RunDirectory run =
        Trainer.start(
            Recipe.parse("test.yaml", recipe, List.of()).withOutput(folder.resolve("run")),
            new TrainingMonitor() {
              @Override
              public void validatedFeatures(int epoch, int pictures, double cosine) {
                assertThat(pictures).isEqualTo(20);
                cosines.add(cosine);
              }
            });
    assertThat(cosines).hasSize(3).allMatch(cosine -> cosine > 0.9 && cosine < 1);
    assertThat(run.latest().state().bestTop1())
        .isEqualTo(cosines.stream().mapToDouble(c -> c).max().orElseThrow());
    assertSame(run, run(recipe, folder.resolve("again")));
    List<String> validations =
        Files.readAllLines(run.metrics()).stream().filter(line -> line.contains(",,,,,,")).toList();
    assertThat(validations)
        .hasSize(3)
        .allMatch(line -> line.matches("\\d+,[\\d.]+,,,,,,[\\d.e-]+,"));
    assertThatThrownBy(
            () ->
                run(
                    recipe.replace("distillation: {weight: 0.5, temperature: 2}\n", ""),
                    folder.resolve("none")))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("distillation: found none, expected a teacher");
    assertThat(folder.resolve("none")).doesNotExist();
  }

  @Test
  void aRunStandsForItsBestWeights(@TempDir Path folder) {
    RunDirectory first = run(FLOAT, folder.resolve("float"));
    List<String> said = new ArrayList<>();
    TrainingMonitor monitor =
        new TrainingMonitor() {
          @Override
          public void say(String line) {
            said.add(line);
          }
        };
    Recipe recipe = Recipe.parse("test.yaml", quantized(first.path()), List.of());
    RunDirectory second = Trainer.start(recipe.withOutput(folder.resolve("second")), monitor);
    int best = first.best().state().step();
    Path file = folder.resolve("float/checkpoints/" + best + "/ema.safetensors");
    assertThat(second.recipe().weights()).isEqualTo(file);
    assertSame(run(quantized(file), folder.resolve("of-the-file")), second);
    assertThat(said).filteredOn(line -> line.startsWith("training on cpu, ")).hasSize(1);
    assertThat(said).filteredOn(line -> line.startsWith("outlier channels")).hasSize(1);
    assertThat(said).noneMatch(line -> line.contains("OutlierChannels["));
  }

  @Test
  void keepsTheLastCheckpointsAndTheBest(@TempDir Path folder) throws IOException {
    RunDirectory run = run(FLOAT, folder.resolve("run"));
    List<String> kept = new ArrayList<>();
    try (Stream<Path> entries = Files.list(folder.resolve("run/checkpoints"))) {
      entries.forEach(entry -> kept.add(entry.getFileName().toString()));
    }
    String best = Integer.toString(run.best().state().step());
    assertThat(kept).contains("8", "9", best);
    assertThat(kept.size()).isLessThanOrEqualTo(3);
    List<String> metrics = Files.readAllLines(run.metrics());
    assertThat(metrics).hasSize(1 + 9 + 3);
  }

  /** The main class of the run that is killed. */
  static final class Child {
    private Child() {}

    /** Runs the recipe {@code args[0]} into {@code args[1]}. */
    public static void main(String[] args) {
      Trainer.start(
          Recipe.read(Path.of(args[0])).withOutput(Path.of(args[1])), TrainingMonitor.SILENT);
    }
  }

  @Test
  void aRunKilledInTheMiddleResumesToTheSameBits(@TempDir Path folder) throws Exception {
    Path floatRun = folder.resolve("float");
    run(FLOAT, floatRun);
    String yaml = quantized(floatRun.resolve("checkpoints/9/weights.safetensors"));
    RunDirectory whole = run(yaml, folder.resolve("whole"));

    Path recipe = folder.resolve("recipe.yaml");
    // Slow enough to be caught between two checkpoints: the steps are the same.
    Files.writeString(recipe, yaml);
    Path killed = folder.resolve("killed");
    Process child =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path")),
                Child.class.getName(),
                recipe.toString(),
                killed.toString())
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("child.log").toFile())
            .start();
    Path caught = killed.resolve("checkpoints/4");
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(120);
    while (!Files.exists(killed.resolve("latest")) || !Files.exists(caught)) {
      assertThat(child.isAlive() || Files.exists(caught))
          .as(() -> "child ended: " + text(folder.resolve("child.log")))
          .isTrue();
      assertThat(System.nanoTime()).isLessThan(deadline);
      Thread.sleep(1);
    }
    child.destroyForcibly().waitFor();

    RunDirectory open = RunDirectory.open(killed);
    assertThat(open.latest().state().finished()).isFalse();
    RunDirectory resumed = Trainer.resume(open, TrainingMonitor.SILENT);
    assertSame(whole, resumed);
    assertThat(Files.readAllLines(resumed.metrics()).stream().map(TrainerTest::withoutSpeed))
        .isEqualTo(
            Files.readAllLines(whole.metrics()).stream().map(TrainerTest::withoutSpeed).toList());
  }

  private static String withoutSpeed(String line) {
    String[] fields = line.split(",", -1);
    fields[5] = "";
    fields[8] = "";
    return String.join(",", fields);
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return e.toString();
    }
  }

  @Test
  void epochsZeroIsPostTrainingQuantization(@TempDir Path folder) {
    RunDirectory floats = run(FLOAT, folder.resolve("float"));
    String yaml =
        quantized(folder.resolve("float/checkpoints/9/weights.safetensors"))
            .replace("schedule: {epochs: 3}", "schedule: {epochs: 0}")
            .replace(
                "freezeEpoch: 2",
                "rangeSearch: outputError, equalize: false, weightRounding: nearest");
    RunDirectory run = run(yaml, folder.resolve("ptq"));
    TrainingCheckpoint checkpoint = run.latest();
    assertThat(checkpoint.state().finished()).isTrue();
    assertThat(checkpoint.state().bestTop1()).isGreaterThanOrEqualTo(0);
    assertSame(checkpoint.weights(), floats.latest().weights());

    RunDirectory rounded =
        run(
            yaml.replace("weightRounding: nearest", "weightRounding: secondOrder")
                .replace("pictures: 16, batchSize: 8", "pictures: 24, batchSize: 8"),
            folder.resolve("rounded"));
    FloatWeights weights = rounded.latest().weights();
    // 120 rows are too few for the 48 inputs of fc2, 24 pictures for the 12 of the head.
    assertThat(weights.scales())
        .containsOnlyKeys(
            weights.values().keySet().stream()
                .filter(name -> name.matches("blocks.*(attn.*|mlp.fc1)\\.weight"))
                .toList());
    weights.requireCodes("rounded");
    weights.scales().forEach((name, scale) -> assertOnCodes(weights.get(name), scale));
  }

  private static void assertOnCodes(float[] weight, float[] scale) {
    int inputs = weight.length / scale.length;
    for (int i = 0; i < weight.length; i++) {
      double code = Math.rint(weight[i] / (double) scale[i / inputs]);
      assertThat(weight[i]).isEqualTo((float) code * scale[i / inputs]);
    }
  }

  @Test
  void fineTuningForOtherClassesAndPicturesSaysWhatItReplaces(@TempDir Path folder) {
    RunDirectory first = run(FLOAT, folder.resolve("float"));
    Map<String, Tensor> tensors =
        new LinkedHashMap<>(
            Safetensors.read(folder.resolve("float/checkpoints/9/weights.safetensors")).tensors());
    int dim = (int) tensors.get("head.weight").shape()[1];
    tensors.put("head.weight", Tensor.of(new float[3 * dim], 3, dim));
    tensors.put("head.bias", Tensor.of(new float[3], 3));
    tensors.put("pos_embed", Tensor.of(new float[17 * dim], 1, 17, dim));
    Path other = folder.resolve("other.safetensors");
    Safetensors.write(other, tensors, Map.of());
    List<String> said = new ArrayList<>();
    TrainingMonitor monitor =
        new TrainingMonitor() {
          @Override
          public void say(String line) {
            said.add(line);
          }
        };
    Recipe recipe = Recipe.parse("test.yaml", FLOAT, List.of("weights=" + other));
    RunDirectory second = Trainer.start(recipe.withOutput(folder.resolve("second")), monitor);
    assertThat(second.latest().state().finished()).isTrue();
    assertThat(said)
        .anyMatch(line -> line.contains("head.weight has 3 classes: replaced by a new head of 10"))
        .anyMatch(line -> line.contains("position embeddings of 17 tokens interpolated to 5"));
    assertThat(first.latest().state().step()).isEqualTo(second.latest().state().step());
  }

  @Test
  void refusesAFolderThatHoldsARunAndAnotherClassCount(@TempDir Path folder) {
    run(FLOAT, folder.resolve("run"));
    assertThatThrownBy(() -> run(FLOAT, folder.resolve("run")))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("holds a run already");
    assertThatThrownBy(
            () -> run(FLOAT.replace("classes: 10", "classes: 7"), folder.resolve("other")))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("found 10 classes, expected 7");
  }
}
