package org.ivit.export.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.ivit.export.cli.Commands.done;
import static org.ivit.export.cli.Commands.run;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.ivit.core.Size;
import org.ivit.core.checkpoint.CheckpointFile;
import org.ivit.core.checkpoint.IntegerCheckpoint;
import org.ivit.core.graph.Linear;
import org.ivit.core.io.Digests;
import org.ivit.core.pretrained.PretrainedModel;
import org.ivit.core.tensor.Safetensors;
import org.ivit.core.tensor.TensorFile;
import org.ivit.export.cli.Commands.Outcome;
import org.ivit.train.recipe.Calibration;
import org.ivit.train.recipe.Quantization;
import org.ivit.train.recipe.Recipe;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QuantizeCommandTest {
  /** So many that each linear layer's inputs are seen often enough for second-order rounding. */
  private static final int EACH = 20;

  @TempDir static Path folder;

  private static Path weights;
  private static Path pictures;
  private static Path recipe;

  @BeforeAll
  static void files() throws IOException {
    weights = MicroModel.weights(folder.resolve("micro.safetensors"));
    pictures = MicroModel.pictures(folder.resolve("pictures"), MicroModel.CLASSES, EACH);
    recipe = recipe("recipe.yaml", "");
  }

  private static Path recipe(String name, String more) throws IOException {
    return Files.writeString(
        folder.resolve(name),
        """
        architecture: %s
        weights: %s
        data: {train: %s}
        quantization: {calibration: {pictures: 60, batchSize: 7, select: random}}
        %s
        """
            .formatted(MicroModel.DESCRIPTION.replace(":", ": "), weights, pictures, more));
  }

  private static void refused(List<?> args, String... texts) throws IOException {
    List<Path> before = everything();
    Outcome outcome = run(args.toArray());
    assertThat(outcome.code()).as(outcome.err()).isEqualTo(2);
    assertThat(outcome.err()).startsWith("ivit: ").contains(texts);
    assertThat(outcome.err().lines()).hasSize(1);
    assertThat(everything()).isEqualTo(before);
  }

  private static List<Path> everything() throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.sorted().toList();
    }
  }

  /** {@code quantize} with weights, architecture and pictures. */
  private static List<Object> quantize(Path output, Object... more) {
    return quantize(pictures, output, more);
  }

  private static List<Object> quantize(Path data, Path output, Object... more) {
    List<Object> args = new ArrayList<>(List.of("quantize", "--weights", weights));
    args.addAll(List.of("--architecture", MicroModel.DESCRIPTION));
    args.addAll(List.of("--data", data, "--output", output));
    args.addAll(List.of(more));
    return args;
  }

  private static void assertSameModel(Path found, Path expected) {
    TensorFile one = Safetensors.read(found);
    TensorFile other = Safetensors.read(expected);
    assertThat(one.tensors()).isEqualTo(other.tensors());
    for (String key : List.of("graph", "preprocess", "classes")) {
      assertThat(one.metadata().get(key)).isEqualTo(other.metadata().get(key));
    }
  }

  @Test
  void weightsHaveTheBitsThatAreAskedFor() {
    Path output = folder.resolve("four.ivit.safetensors");
    String said = done(quantize(output, "--weight-bits", "4", "--weight-codes", "table").toArray());
    assertThat(said).contains("bits        4 bits, table in 4 layers, 8 bits in others");
    for (Linear linear : CheckpointFile.read(output).graph().linears()) {
      boolean block = linear.name().startsWith("blocks.");
      assertThat(linear.codes().bits()).as(linear.name()).isEqualTo(block ? 4 : 8);
    }
  }

  @Test
  void bitsThatCannotBeAreRefused() throws IOException {
    Path output = folder.resolve("three.ivit.safetensors");
    refused(quantize(output, "--weight-bits", "3"), "quantization.weights.bits: found 3");
    refused(quantize(output, "--weight-codes", "log"), "quantization.weights.codes: found \"log\"");
  }

  private long size(String name, Object... more) {
    Path output = folder.resolve(name + ".ivit.safetensors");
    done(quantize(output, more).toArray());
    return output.toFile().length();
  }

  /** The file says what was chosen, so that its recipe makes it again. */
  @Test
  void aBudgetOfSizeIsKept() throws IOException {
    long budget = (size("4", "--weight-bits", "4") + size("6", "--weight-bits", "6")) / 2;
    Path output = folder.resolve("auto.ivit.safetensors");
    String said =
        done(quantize(output, "--weight-bits", "auto", "--weight-budget", budget + "").toArray());
    assertThat(said)
        .contains("chosen      " + output.toFile().length() + " bytes; rounding these layers")
        .contains("bits of   attn.qkv  attn.proj  mlp.fc1  mlp.fc2")
        .containsPattern("blocks\\.0 +[4568] +[4568] +[4568] +[4568]");
    assertThat(output.toFile().length()).isLessThanOrEqualTo(budget);
    IntegerCheckpoint checkpoint = CheckpointFile.read(output);
    assertThat(checkpoint.graph().linears()).anyMatch(linear -> linear.codes().bits() < 6);
    Path recorded =
        Files.writeString(folder.resolve("said.yaml"), checkpoint.provenance().recipe());
    Path again = folder.resolve("again.ivit.safetensors");
    done("quantize", "--config", recorded, "--output", again);
    assertSameModel(again, output);
  }

  @Test
  void aBudgetOfDistanceIsKept() {
    Path output = folder.resolve("distance.ivit.safetensors");
    assertThat(
            done(quantize(output, "--weight-bits", "auto", "--weight-budget", "kl=0.05").toArray()))
        .containsPattern(
            "chosen .* the integer model has 0\\.0[0-4]\\d+ on the calibration pictures");
  }

  @Test
  void budgetsThatCannotBeAreRefused() throws IOException {
    Path output = folder.resolve("budget.ivit.safetensors");
    refused(
        quantize(output, "--weight-bits", "auto"),
        "quantization.weights.bits: found \"auto\", expected size or kl beside it");
    refused(
        quantize(output, "--weight-bits", "4", "--weight-budget", "3MB"),
        "quantization.weights.size: found \"3MB\", expected no such key without bits: auto");
    refused(
        quantize(output, "--weight-bits", "auto", "--weight-budget", "kl=x"),
        "quantization.weights.kl: found \"x\", expected a number");
    refused(
        quantize(output, "--weight-bits", "auto", "--weight-budget", "1kB"),
        "quantization.weights.size: found 1000 bytes, expected at least ");
  }

  /** Calibration chooses, the run's recipe says what, and the export is no larger. */
  @Test
  void aRunKeepsItsBudget() throws IOException {
    long budget = size("run5", "--weight-bits", "5") + 2500;
    Path trained = folder.resolve("auto-run");
    Path output = folder.resolve("auto-run.ivit.safetensors");
    Path file =
        recipe(
            "auto-run.yaml",
            "optimizer: {learningRate: 1.0e-3, batchSize: 20}\nschedule: {epochs: 1}");
    done(
        "train",
        "--config",
        file,
        "--set",
        "quantization.weights={bits: auto, size: %d}".formatted(budget),
        "--set",
        "output=" + trained);
    Recipe resolved = Recipe.read(trained.resolve(Recipe.FILE));
    assertThat(resolved.quantization().weights().automatic()).isFalse();
    done("export", "--run", trained, "--output", output);
    assertThat(output.toFile().length()).isLessThanOrEqualTo(budget);
    for (Linear linear : CheckpointFile.read(output).graph().linears()) {
      assertThat(linear.codes().bits())
          .isEqualTo(
              MicroModel.VIT.linears().stream()
                  .filter(layer -> layer.node().name().equals(linear.name()))
                  .map(layer -> resolved.quantization().weights().choose(layer).bits())
                  .findFirst()
                  .orElseThrow());
    }
  }

  /** Its grids are learned, and the file is that of the training network. */
  @Test
  void aRunOfFewerBitsIsExported() throws IOException {
    Path trained = folder.resolve("grids");
    Path output = folder.resolve("grids.ivit.safetensors");
    Path file =
        recipe(
            "grids.yaml",
            "optimizer: {learningRate: 1.0e-3, batchSize: 20}\nschedule: {epochs: 1}");
    done(
        "train",
        "--config",
        file,
        "--set",
        "quantization.weights.bits=4",
        "--set",
        "output=" + trained);
    assertThat(done("export", "--run", trained, "--output", output))
        .contains("logits of 16 pictures identical to the training network's");
    assertThat(CheckpointFile.read(output).graph().linears())
        .filteredOn(linear -> linear.codes().bits() == 4)
        .hasSize(4);
  }

  @Test
  void givesTheIntegersOfTrainAndExport() throws IOException {
    Path output = folder.resolve("one.ivit.safetensors");
    Path run = folder.resolve("run");
    Path exported = folder.resolve("two.ivit.safetensors");
    String said = done("quantize", "--config", recipe, "--output", output);
    assertThat(said)
        .contains(
            "weights     " + weights + ", micro",
            "recipe      " + recipe,
            "pictures    60 of 60 of " + pictures + ", at random, in batches of 7",
            "GELU        asymmetric",
            "softmax     exact, attention in 16 bits",
            "equalized   attention",
            "rounding    second-order error in 4 layers, to nearest in others",
            "logits of 16 pictures identical to those of calibration's forward pass (cpu)")
        .containsPattern("mlp\\.act +1 .* output error")
        .containsPattern("attn\\.scores +1 .* movingMinMax");
    assertThat(said.lines().skip(said.lines().count() - 4))
        .containsExactly(
            "file sha256 " + Digests.file(output),
            "digest      " + Safetensors.read(output).metadata().get("sha256"),
            "next: scripts/ivit evaluate --model " + output + " --data DIR",
            "next: scripts/ivit predict --model " + output + " IMAGE");
    Path still = recipe("still.yaml", "schedule: {epochs: 0}");
    assertThat(run("train", "--config", still, "--output", run).code()).isZero();
    done("export", "--run", run, "--output", exported);
    assertSameModel(output, exported);
    IntegerCheckpoint checkpoint = CheckpointFile.read(output);
    assertThat(checkpoint.classes()).isEqualTo(MicroModel.CLASSES);
    assertThat(checkpoint.provenance().source()).isEqualTo("micro.safetensors");
    assertThat(checkpoint.provenance().sourceSha256()).isEqualTo(Digests.file(weights));

    Path again = folder.resolve("three.ivit.safetensors");
    done("quantize", "--weights", run, "--config", recipe, "--output", again, "--verify", 0);
    assertThat(CheckpointFile.read(again).graph().architecture()).isEqualTo(MicroModel.VIT);
  }

  /** A recipe for training is calibrated as if it had no epochs. */
  @Test
  void trainsNothing() throws IOException {
    Path trains =
        recipe(
            "trains.yaml", "optimizer: {batchSize: 4, learningRate: 0.1}\nschedule: {epochs: 3}");
    Path one = folder.resolve("trains.ivit.safetensors");
    Path other = folder.resolve("trains-not.ivit.safetensors");
    done("quantize", "--config", trains, "--output", one);
    done("quantize", "--config", recipe, "--output", other);
    assertSameModel(one, other);
  }

  @Test
  void withoutARecipeTheDefaultsAreThoseOfTheShippedOne() {
    Path output = folder.resolve("defaults.ivit.safetensors");
    String said = done(quantize(output, "--set", "threads=1").toArray());
    assertThat(said).contains("the defaults", "60 of 60", "spread evenly, in batches of 16");
    Recipe shipped =
        Recipe.read(
            Paths.get("").toAbsolutePath().resolve("../configs/vit_tiny_imagenet_ptq.yaml"));
    Quantization expected = shipped.quantization();
    Recipe used =
        Recipe.parse("recipe", CheckpointFile.read(output).provenance().recipe(), List.of());
    Quantization found = used.quantization();
    Calibration c = found.calibration();
    assertThat(c.pictures()).isEqualTo(expected.calibration().pictures());
    assertThat(c.batchSize()).isEqualTo(expected.calibration().batchSize());
    assertThat(found).usingRecursiveComparison().ignoringFields("calibration").isEqualTo(expected);
  }

  @Test
  void picturesNeedNoClasses() throws IOException {
    Path flat = Files.createDirectory(folder.resolve("flat"));
    for (int i = 0; i < 3; i++) {
      Files.copy(pictures.resolve("ant/" + i + ".png"), flat.resolve(i + ".png"));
    }
    Path names = Files.writeString(folder.resolve("names.txt"), "n1\tone\nn2\ttwo\nn3\tthree\n");
    Path output = folder.resolve("flat.ivit.safetensors");
    done(quantize(flat, output, "--classes", names).toArray());
    assertThat(CheckpointFile.read(output).classes())
        .containsExactly("n1\tone", "n2\ttwo", "n3\tthree");
    Path two = MicroModel.pictures(folder.resolve("two"), List.of("x", "y"), 1);
    Path unnamed = folder.resolve("unnamed.ivit.safetensors");
    done(quantize(two, unnamed).toArray());
    assertThat(CheckpointFile.read(unnamed).classes())
        .containsExactly("class 0", "class 1", "class 2");
  }

  @Test
  void aHuggingFaceFolderSaysArchitectureTransformAndClasses() throws IOException {
    Path hub = Files.createDirectory(folder.resolve("hub"));
    MicroModel.weights(hub.resolve("model.safetensors"));
    Files.writeString(
        hub.resolve("config.json"),
        """
        {"model_type": "vit", "hidden_act": "gelu", "num_channels": 3, "qkv_bias": true,
         "image_size": 16, "patch_size": 8, "hidden_size": 16, "num_hidden_layers": 1,
         "num_attention_heads": 2, "intermediate_size": 32, "layer_norm_eps": 1e-6,
         "id2label": {"0": "x", "1": "y", "2": "z"}}
        """);
    Path output = folder.resolve("hub.ivit.safetensors");
    done("quantize", "--weights", hub, "--data", pictures, "--output", output);
    IntegerCheckpoint checkpoint = CheckpointFile.read(output);
    assertThat(checkpoint.classes()).containsExactly("x", "y", "z");
    assertThat(checkpoint.graph().architecture().name()).isEqualTo("huggingface_vit");
    assertThat(PretrainedModel.preprocess(hub, Size.of(16), line -> {}))
        .contains(checkpoint.preprocess());
  }

  /** As in training, a picture that is damaged is left out. */
  @Test
  void damagedPicturesAreLeftOut() throws IOException {
    Path damaged = MicroModel.pictures(folder.resolve("damaged"), MicroModel.CLASSES, 2);
    Files.write(damaged.resolve("bee/0.png"), new byte[] {(byte) 0x89, 'P', 'N', 'G', 1, 2, 3});
    Path output = folder.resolve("damaged.ivit.safetensors");
    assertThat(done(quantize(damaged, output).toArray()))
        .contains("logits of 5 pictures identical");
    assertThat(output).isRegularFile();
  }

  @Test
  void whatIsMissingOrWrongIsNamed() throws IOException {
    Path output = folder.resolve("x");
    refused(List.of("quantize", "--weights", weights, "--data", pictures), "--output");
    refused(List.of("quantize", "--data", pictures, "--output", output), "--weights is missing");
    refused(List.of("quantize", "--weights", weights, "--output", output), "--data is missing");
    refused(
        List.of("quantize", "--weights", weights, "--data", pictures, "--output", output),
        "--architecture NAME");
    refused(quantize(output, "--verify", -1), "--verify", "-1");
    refused(quantize(output, "--set", "x"), "--set", "key=value");
    refused(quantize(output, "--set", "sed=2"), "recipe: sed: unknown key");
    refused(quantize(output, "--set", "precision=float"), "precision", "expected quantized");
    refused(quantize(output, "--set", "quantization.gelu=cubic"), "quantization.gelu");
    Path one = Files.writeString(folder.resolve("one.txt"), "ant\n");
    refused(quantize(output, "--classes", one), "one.txt", "found 1 classes, expected 3");
    Path checkpoint = MicroModel.checkpoint(folder.resolve("integers.ivit.safetensors"));
    refused(
        List.of("quantize", "--weights", checkpoint, "--data", pictures, "--output", output),
        "is an integer checkpoint");
  }
}
