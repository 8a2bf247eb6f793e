package org.ivit.train.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.ivit.core.InputException;
import org.ivit.core.tensor.Safetensors;
import org.ivit.core.tensor.Tensor;
import org.ivit.train.loading.Loading;
import org.ivit.train.monitor.TrainingMonitor;
import org.ivit.train.recipe.Recipe;
import org.ivit.train.run.RunDirectory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a run does with input that it cannot use, and with a disk that fails it. */
class BadRunTest {
  private static final String FLOAT =
      """
      architecture: {kind: vit, image: 16, patch: 8, dim: 8, depth: 1, heads: 2, classes: 10}
      precision: float
      data: {train: {procedural: {pictures: 24, size: 16, seed: 1}}}
      augmentation: {randomResizedCrop: none, flip: 0, colorJitter: 0, randomErasing: 0}
      optimizer: {learningRate: 0.001, batchSize: 4}
      schedule: {epochs: 1}
      threads: 1
      checkpoints: {every: 2, keep: 2}
      """;

  @TempDir private Path folder;

  private Path output() {
    return folder.resolve("run");
  }

  private Recipe recipe(String... overrides) {
    return Recipe.parse("test.yaml", FLOAT, List.of(overrides)).withOutput(output());
  }

  /** One line, the words, and nothing left behind. */
  private void assertRefused(ThrowingCallable run, String... words) {
    assertThatThrownBy(run)
        .isInstanceOf(InputException.class)
        .hasMessageNotContaining("\n")
        .hasMessageContainingAll(words);
    assertThat(output()).doesNotExist();
  }

  private void assertRefusedRecipe(Recipe recipe, String... words) {
    assertRefused(() -> Trainer.start(recipe, TrainingMonitor.SILENT), words);
  }

  /** The weights of an untrained run. */
  private Path weights() {
    Trainer.start(recipe().withOutput(folder.resolve("first")), TrainingMonitor.SILENT);
    return folder.resolve("first/checkpoints/6/weights.safetensors");
  }

  @Test
  void namesTheFileThatIsMissing() {
    Path gone = folder.resolve("gone");
    assertRefusedRecipe(recipe("weights=" + gone), gone.toString());
    assertRefusedRecipe(recipe("data.train=" + gone), gone.toString());
    assertRefusedRecipe(recipe("data.validation=" + gone), gone.toString());
    assertRefusedRecipe(recipe("data.classes=" + gone), gone.toString());
    assertRefusedRecipe(recipe("distillation={teacher: {weights: " + gone + "}}"), gone.toString());
    assertRefusedRecipe(
        recipe("precision=quantized", "quantization={calibration: {data: " + gone + "}}"),
        gone.toString());
  }

  @Test
  void namesAnArchitectureThatIsNotKnown() {
    assertRefusedRecipe(recipe("architecture=deit_huge"), "deit_huge", "vit_tiny_patch16_224");
    assertRefusedRecipe(recipe("architecture.heads=3"), "dim is 8", "multiple of heads, 3");
  }

  @Test
  void refusesWeightsThatAreDamagedOrOfAnotherSize() throws IOException {
    Path good = weights();
    byte[] bytes = Files.readAllBytes(good);
    Path bad = folder.resolve("bad.safetensors");
    for (int length : new int[] {0, 7, 100, bytes.length / 2, bytes.length - 1}) {
      Files.write(bad, Arrays.copyOf(bytes, length));
      assertRefusedRecipe(recipe("weights=" + bad), bad.toString());
    }
    assertRefusedRecipe(
        recipe(
            "weights=" + good,
            "architecture.classes=7",
            "precision=quantized",
            "schedule.epochs=0"),
        good.toString(),
        "class");
    assertRefusedRecipe(
        recipe("weights=" + good, "architecture.classes=7"), "10 classes", "expected 7");
    assertRefusedRecipe(recipe("weights=" + good, "architecture.depth=2"), "blocks.1.");
  }

  @Test
  void refusesFewerPicturesThanABatch() {
    assertRefusedRecipe(recipe("data.train.limit=3"), "found 3 pictures", "optimizer.batchSize, 4");
  }

  @Test
  void aLossThatIsNotFiniteEndsTheRunWithTheStepAndAdvice() {
    Path bad = withFirstLinear(weights(), values -> Arrays.fill(values, Float.MAX_VALUE));
    assertThatThrownBy(() -> Trainer.start(recipe("weights=" + bad), TrainingMonitor.SILENT))
        .isInstanceOf(InputException.class)
        .hasMessageContainingAll("step 1", "NaN", "optimizer.learningRate")
        .hasMessageNotContaining("\n");
  }

  @Test
  void theTensorThatIsNotFiniteIsNamedWhenItIsRead() {
    Path bad = withFirstLinear(weights(), values -> values[3] = Float.NaN);
    for (String precision : List.of("float", "quantized")) {
      assertRefusedRecipe(
          recipe("weights=" + bad, "precision=" + precision),
          "tensor blocks.0.mlp.fc1.weight: element 3 of 256 is NaN");
    }
  }

  private Path withFirstLinear(Path weights, Consumer<float[]> change) {
    Map<String, Tensor> tensors = new LinkedHashMap<>(Safetensors.read(weights).tensors());
    Tensor fc1 = tensors.get("blocks.0.mlp.fc1.weight");
    float[] values = fc1.floats();
    change.accept(values);
    tensors.put("blocks.0.mlp.fc1.weight", Tensor.of(values, fc1.shape()));
    Path bad = folder.resolve("bad.safetensors");
    Safetensors.write(bad, tensors, Map.of());
    return bad;
  }

  @Test
  void saysThatTheRunOfTheWeightsIsToBeTrainedFirst() {
    Path missing = folder.resolve("float");
    assertThatThrownBy(
            () ->
                Trainer.start(
                    recipe("weights=" + missing, "precision=quantized"), TrainingMonitor.SILENT))
        .isInstanceOf(InputException.class)
        .hasMessage(
            "weights: "
                + missing
                + ": no such file or folder, expected float weights or the directory of a finished"
                + " run");
    assertThat(output()).doesNotExist();
  }

  @Test
  void refusesAnOutputThatIsAFile() throws IOException {
    Files.createFile(output());
    assertThatThrownBy(() -> Trainer.start(recipe(), TrainingMonitor.SILENT))
        .isInstanceOf(InputException.class)
        .hasMessage(
            output()
                + ": cannot be written: "
                + output().toAbsolutePath()
                + " is a file, expected a folder");
    assertThat(output()).isEmptyFile();
  }

  @Test
  void aCheckpointThatCannotBeWrittenLeavesTheFormerOneToResumeFrom() throws IOException {
    RunDirectory whole =
        Trainer.start(recipe().withOutput(folder.resolve("whole")), TrainingMonitor.SILENT);
    Path checkpoints = output().resolve("checkpoints");
    Path aside = output().resolve("aside");
    TrainingMonitor breaks =
        new TrainingMonitor() {
          @Override
          public void step(
              int step, int total, int epoch, double loss, double speed, Loading loading) {
            if (step == 3) {
              // no folder to write to: as good as a full disk
              try {
                Files.move(checkpoints, aside);
                Files.createFile(checkpoints);
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            }
          }
        };
    assertThatThrownBy(() -> Trainer.start(recipe(), breaks))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining("cannot be written")
        .hasMessageNotContaining("\n");
    Files.delete(checkpoints);
    Files.move(aside, checkpoints);
    assertThat(entries(checkpoints)).containsExactlyInAnyOrder("0", "2");

    RunDirectory open = RunDirectory.open(output());
    assertThat(open.latest().state().step()).isEqualTo(2);
    RunDirectory resumed = Trainer.resume(open, TrainingMonitor.SILENT);
    assertThat(resumed.latest().state()).isEqualTo(whole.latest().state());
    assertThat(resumed.latest().optimizer()).isEqualTo(whole.latest().optimizer());
    whole
        .latest()
        .weights()
        .values()
        .forEach(
            (name, values) ->
                assertThat(resumed.latest().weights().get(name)).as(name).isEqualTo(values));
  }

  private static List<String> entries(Path path) throws IOException {
    List<String> names = new ArrayList<>();
    try (Stream<Path> entries = Files.list(path)) {
      entries.forEach(entry -> names.add(entry.getFileName().toString()));
    }
    return names;
  }

  @Test
  void refusesToResumeWhatIsNoRunOrWhatIsDamaged() throws IOException {
    assertThatThrownBy(() -> RunDirectory.open(folder))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("is no run directory");
    Trainer.start(recipe(), TrainingMonitor.SILENT);
    Path state = output().resolve("checkpoints/6/state.json");
    String text = Files.readString(state);
    RunDirectory run = RunDirectory.open(output());
    for (String bad : List.of("", "{", "[]", "{\"step\": 1}", text.replace("6", "\"x\""))) {
      Files.writeString(state, bad);
      assertThatThrownBy(run::latest)
          .as(bad)
          .isInstanceOf(InputException.class)
          .hasMessageContaining(state.toString())
          .hasMessageNotContaining("\n");
    }
    Files.writeString(state, text);
    Files.writeString(output().resolve("latest"), "six\n");
    assertThatThrownBy(() -> RunDirectory.open(output()))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("expected the number of a step");
  }
}
