package org.ivit.export.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.ivit.export.cli.Commands.done;
import static org.ivit.export.cli.Commands.run;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.ivit.core.engine.Processor;
import org.ivit.core.io.Digests;
import org.ivit.core.tensor.DType;
import org.ivit.core.tensor.Safetensors;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.tensor.TensorFile;
import org.ivit.core.testing.TorchCheckpoint;
import org.ivit.export.cli.Commands.Outcome;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CommandLineInterfaceTest {
  @TempDir static Path folder;

  private static Path checkpoint;
  private static Path weights;
  private static Path pictures;

  @BeforeAll
  static void files() throws IOException {
    checkpoint = MicroModel.checkpoint(folder.resolve("micro.ivit.safetensors"));
    weights = MicroModel.weights(folder.resolve("micro.safetensors"));
    pictures = MicroModel.pictures(folder.resolve("pictures"), MicroModel.CLASSES, 4);
  }

  /** Exit code 2, one line on the error stream with all of the texts, and nothing new on disk. */
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

  private static List<Object> evaluate(Object... more) {
    List<Object> args =
        new ArrayList<>(List.of("evaluate", "--model", checkpoint, "--data", pictures));
    args.addAll(Arrays.asList(more));
    return args;
  }

  @Test
  void versionAndHelp() {
    assertThat(done("--version")).matches("ivit \\d+\\.\\d+\\.\\d+.*\\R");
    assertThat(done("--help")).contains("quickstart", "train", "export", "evaluate", "predict");
    for (String command :
        List.of(
            "quickstart",
            "train",
            "quantize",
            "export",
            "evaluate",
            "predict",
            "embed",
            "search",
            "inspect",
            "bench",
            "bench-loader",
            "convert")) {
      assertThat(done(command, "--help")).contains("Usage: ivit " + command);
    }
  }

  @Test
  void measuresTheLoader() throws IOException {
    Path recipe =
        Files.writeString(
            folder.resolve("loader.yaml"),
            """
            architecture: {kind: vit, image: 16, patch: 8, dim: 12, depth: 1, heads: 2, classes: 10}
            precision: float
            data: {train: {procedural: {pictures: 5, size: 20, seed: 1}}}
            augmentation: {randAugment: rand-m9-mstd0.5-inc1}
            optimizer: {learningRate: 0.001, batchSize: 4}
            schedule: {epochs: 1}
            """);
    Path json = folder.resolve("loader.json");
    List<Object> command =
        List.of("bench-loader", "--config", recipe, "--pictures", 12, "--seconds", 0.02);
    List<Object> more = new ArrayList<>(command);
    more.addAll(List.of("--threads", "1,3", "--json", json));
    assertThat(done(more.toArray()))
        .contains("5 pictures, loaded at 16 pixels", "pictures/s a core", "threads");
    assertThat(Files.readString(json))
        .contains("decode_ms", "augment_ms", "images_per_second_per_core", "\"threads\" : 3");
    refused(with(command, "--threads", 0), "--threads");
    refused(with(command, "--pictures", 0), "--pictures");
    refused(with(command, "--seconds", 0), "--seconds");
    refused(with(command, "--set", "sed=2"), "sed");
  }

  @Test
  void withoutACommandTheUsageIsShown() {
    Outcome outcome = run();
    assertThat(outcome.code()).isEqualTo(2);
    assertThat(outcome.out()).isEmpty();
    assertThat(outcome.err()).contains("Usage: ivit");
  }

  @Test
  void evaluatesAnIntegerModelAgainstAFloatModel() throws IOException {
    Path json = folder.resolve("result.json");
    Path logits = folder.resolve("logits.safetensors");
    List<Object> args =
        evaluate(
            "--against",
            weights,
            "--architecture",
            MicroModel.DESCRIPTION,
            "--json",
            json,
            "--logits",
            logits,
            "--batch",
            5);
    String out = done(args.toArray());
    assertThat(out).contains("top-1", "agreement", "KL", "McNemar", "12 pictures, 3 classes");
    JsonNode result = new ObjectMapper().readTree(json.toFile());
    int right = result.path("top1").path("count").asInt(-1);
    assertThat(right).isBetween(0, 12);
    assertThat(result.path("top1").path("fraction").asDouble()).isEqualTo(right / 12.0);
    assertThat(result.path("top5").path("count").asInt()).isEqualTo(12);
    assertThat(result.path("images").asInt()).isEqualTo(12);
    assertThat(result.path("seconds").asDouble()).isPositive();
    assertThat(result.path("engine").asText()).isEqualTo("cpu");
    assertThat(result.path("model").path("kind").asText()).isEqualTo("integer");
    assertThat(result.path("model").path("file_sha256").asText())
        .isEqualTo(Digests.file(checkpoint));
    assertThat(result.path("model").path("digest").asText())
        .isEqualTo(Safetensors.read(checkpoint).metadata().get("sha256"));
    assertThat(result.path("against").path("model").path("file_sha256").asText())
        .isEqualTo(Digests.file(weights));
    assertThat(result.path("against").path("model").has("digest")).isFalse();
    assertThat(result.path("data").path("digest").asText()).hasSize(64);
    assertThat(result.path("against").path("model").path("kind").asText()).isEqualTo("float");
    TensorFile file = Safetensors.read(logits);
    assertThat(file.get("logits").dtype()).isEqualTo(DType.I32);
    assertThat(file.get("logits").shape()).containsExactly(12, 3);
    assertThat(file.get("labels").ints()).containsExactly(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2);
    assertThat(Float.parseFloat(file.metadata().get("scale"))).isPositive();
    JsonNode names = new ObjectMapper().readTree(file.metadata().get("files"));
    assertThat(names.get(0).asText()).isEqualTo("ant/0.png");
    assertThat(names).hasSize(12);
    Files.delete(json);
    Files.delete(logits);
  }

  @Test
  void aModelWithClassesSaysWhichCommandsTakeIt() throws IOException {
    Path index = folder.resolve("e.safetensors");
    List<Object> embed =
        List.of("embed", "--model", checkpoint, "--data", pictures, "--output", index);
    refused(embed, checkpoint.toString(), "answers with classes", "ivit predict");
    refused(
        List.of("search", "--model", checkpoint, "--index", checkpoint, pictures),
        "no tensor features");
    refused(with(embed, "--batch", 0), "--batch");
    refused(
        List.of("embed", "--model", checkpoint, "--data", pictures, "--output", "e.csv"),
        ".safetensors, .npy or .parquet");
    refused(evaluate("--gallery", pictures), "--gallery", "answers with classes by itself");
    refused(
        evaluate("--class-embeddings", checkpoint), "--class-embeddings", "answers with classes");
    refused(evaluate("--neighbours", 3), "--neighbours", "--gallery");
    refused(evaluate("--gallery", pictures, "--class-embeddings", checkpoint), "found both");
    refused(evaluate("--gallery", pictures, "--temperature", 0), "--temperature");
    refused(evaluate("--gallery", pictures, "--neighbours", 0), "--neighbours");
  }

  @Test
  void enginesBatchesAndThreadsDoNotChangeLogits() throws IOException {
    Path first = folder.resolve("first.safetensors");
    Path second = folder.resolve("second.safetensors");
    done(evaluate("--engine", "cpu", "--batch", 7, "--logits", first).toArray());
    done(
        evaluate("--engine", "reference", "--batch", 1, "--threads", 2, "--logits", second)
            .toArray());
    assertThat(Safetensors.read(first).tensors()).isEqualTo(Safetensors.read(second).tensors());
    Files.delete(first);
    Files.delete(second);
  }

  @Test
  void limitTakesTheFirstByName() {
    assertThat(done(evaluate("--limit", 5).toArray())).contains("5 pictures, 3 classes");
  }

  @Test
  void corruptPicturesAreSkippedWhereAsked() throws IOException {
    Path data = MicroModel.pictures(folder.resolve("damaged"), MicroModel.CLASSES, 3);
    Path first = Files.writeString(data.resolve("ant/0.png"), "no picture");
    Path last = data.resolve("cat/2.png");
    Files.write(last, Arrays.copyOf(Files.readAllBytes(last), 60));
    Path json = folder.resolve("skipped.json");
    Path logits = folder.resolve("skipped.safetensors");
    List<Object> args =
        List.of(
            "evaluate",
            "--model",
            checkpoint,
            "--data",
            data,
            "--json",
            json,
            "--logits",
            logits,
            "--against",
            checkpoint,
            "--batch",
            4);
    refused(args, first.toString());
    List<Object> skipping = new ArrayList<>(args);
    skipping.add("--skip-corrupt");
    assertThat(done(skipping.toArray()))
        .contains("7 pictures, 3 classes", "skipped    2 corrupt pictures (first: " + first + ":")
        .contains("agreement  7 of 7");
    JsonNode result = new ObjectMapper().readTree(json.toFile());
    assertThat(result.path("images").asInt()).isEqualTo(7);
    assertThat(result.path("skipped").path("count").asInt()).isEqualTo(2);
    assertThat(result.path("skipped").path("pictures").findValuesAsText("name"))
        .containsExactly("ant/0.png", "cat/2.png");
    assertThat(result.path("skipped").path("pictures").path(1).path("reason").asText())
        .startsWith(last + ": ");
    assertThat(Safetensors.read(logits).get("labels").ints()).containsExactly(0, 0, 1, 1, 1, 2, 2);
    Files.delete(json);
    Files.delete(logits);
    refused(evaluate("--skip-corrupt", "--spark", "local"), "--skip-corrupt", "--spark");
    for (Path file : List.of(data.resolve("ant/1.png"), data.resolve("ant/2.png"))) {
      Files.writeString(file, "no picture");
    }
    refused(
        List.of("evaluate", "--model", checkpoint, "--data", data, "--limit", 3, "--skip-corrupt"),
        "found no picture that can be decoded among 3");
  }

  @Test
  void aClassListGivesOrder() throws IOException {
    Path list = Files.writeString(folder.resolve("order.txt"), "cat\tCats\nbee\tBees\nant\tAnts\n");
    Path logits = folder.resolve("ordered.safetensors");
    done(evaluate("--classes", list, "--logits", logits).toArray());
    assertThat(Safetensors.read(logits).get("labels").ints())
        .containsExactly(2, 2, 2, 2, 1, 1, 1, 1, 0, 0, 0, 0);
    Files.delete(logits);
    Files.delete(list);
  }

  @Test
  void predictsInspectsAndTimes() throws IOException {
    String prediction = done("predict", "--model", checkpoint, pictures.resolve("bee/1.png"));
    assertThat(prediction).contains("1.png", " %  ant", " %  bee", " %  cat");
    String inspected = done("inspect", checkpoint);
    assertThat(inspected)
        .contains("micro", "exact", "blocks.0.attn.qkv", "ant; bee; cat", "16 bits", "outliers");
    assertThat(inspected)
        .contains("file sha256   " + Digests.file(checkpoint))
        .contains("digest        " + Safetensors.read(checkpoint).metadata().get("sha256"));
    assertThat(done("inspect", weights))
        .contains("safetensors, ", "blocks.0.attn.qkv.weight", "[48, 16]", "F32");
    Path json = folder.resolve("bench.json");
    // The error stream may have a warning that this machine is busy.
    Outcome timed =
        run("bench", "--model", checkpoint, "--batch", "1,3", "--seconds", 0.02, "--json", json);
    assertThat(timed.code()).isZero();
    assertThat(timed.out())
        .contains("kernels    ", "processor  ", "p90 ms", "p99 ms", "pictures/s");
    JsonNode result = new ObjectMapper().readTree(json.toFile());
    JsonNode row = result.path("batches").get(0);
    assertThat(row.path("best_ms").asDouble())
        .isLessThanOrEqualTo(row.path("median_ms").asDouble());
    assertThat(row.path("median_ms").asDouble()).isLessThanOrEqualTo(row.path("p90_ms").asDouble());
    assertThat(row.path("p90_ms").asDouble()).isLessThanOrEqualTo(row.path("p99_ms").asDouble());
    assertThat(result.path("backend").path("kernels").asText()).isNotEmpty();
    assertThat(result.path("backend").path("why").asText()).contains("the fastest that runs here");
    assertThat(result.path("backend").path("processor").asText()).isEqualTo(Processor.name());
    assertThat(result.path("warnings").size()).isEqualTo((int) timed.err().lines().count());
    assertThat(result.path("batches")).hasSize(2);
    assertThat(result.path("batches").get(1).path("batch").asInt()).isEqualTo(3);
    assertThat(result.path("batches").get(1).path("median_ms").asDouble()).isPositive();
    Files.delete(json);
  }

  /** A training checkpoint of PyTorch, with a moving average and objects beside the model. */
  @Test
  void theWeightsOfATrainingCheckpointAreFoundAndChosen() throws Exception {
    Map<String, Tensor> model = Safetensors.read(weights).tensors();
    Map<String, Tensor> average = new LinkedHashMap<>(model);
    average.put("head.bias", Tensor.of(new float[] {9, 0, 0}, 3));
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("model_ema", average);
    tree.put("state_dict", model);
    tree.put("config", new TorchCheckpoint.Foreign("yacs.config", "CfgNode", List.of(), null));
    Path file = Files.write(folder.resolve("last.pth"), TorchCheckpoint.zip(tree));
    assertThat(done("inspect", file))
        .contains("PyTorch checkpoint, ", "state_dict.head.bias", "config", "yacs.config.CfgNode");
    List<Object> command =
        List.of(
            "evaluate",
            "--model",
            file,
            "--data",
            pictures,
            "--architecture",
            MicroModel.DESCRIPTION);
    Path logits = folder.resolve("logits.safetensors");
    Path other = folder.resolve("other.safetensors");
    Path plain = folder.resolve("plain.safetensors");
    done(with(command, "--logits", logits).toArray());
    done(with(command, "--logits", other, "--weights-key", "model_ema").toArray());
    done(
        "evaluate",
        "--model",
        weights,
        "--data",
        pictures,
        "--architecture",
        MicroModel.DESCRIPTION,
        "--logits",
        plain);
    assertThat(Safetensors.read(logits).tensors()).isEqualTo(Safetensors.read(plain).tensors());
    assertThat(Safetensors.read(other).get("logits"))
        .isNotEqualTo(Safetensors.read(plain).get("logits"));
    refused(with(command, "--weights-key", "ema"), "found no tensors under ema", "model_ema");
    for (Path made : List.of(file, logits, other, plain)) {
      Files.delete(made);
    }
  }

  @Test
  void predictsFoldersAndPassesOverWhatIsCorrupt() throws IOException {
    Path many = MicroModel.pictures(folder.resolve("many"), MicroModel.CLASSES, 7);
    Files.writeString(many.resolve("ant/notes.txt"), "no picture");
    List<Object> command = List.of("predict", "--model", checkpoint, many, "--top", 2);
    JsonNode whole = new ObjectMapper().readTree(done(with(command, "--json", "-").toArray()));
    assertThat(whole.path("pictures")).hasSize(21);
    assertThat(whole.path("refused")).isEmpty();
    JsonNode first = whole.path("pictures").get(0);
    assertThat(first.path("file").asText()).isEqualTo(many.resolve("ant/0.png").toString());
    assertThat(first.path("top")).hasSize(2);
    assertThat(first.path("top").get(0).path("probability").asDouble())
        .isGreaterThanOrEqualTo(first.path("top").get(1).path("probability").asDouble());
    String alone = done("predict", "--model", checkpoint, many.resolve("ant/0.png"), "--top", 1);
    assertThat(alone.lines()).hasSize(2);
    assertThat(alone).endsWith("%  " + first.path("top").get(0).path("name").asText() + "\n");

    Files.write(many.resolve("bee/3.png"), new byte[] {(byte) 0x89, 'P', 'N', 'G', 1, 2, 3});
    Path json = folder.resolve("predict.json");
    Outcome outcome = run(with(command, "--json", json).toArray());
    assertThat(outcome.code()).isEqualTo(2);
    assertThat(outcome.err())
        .isEqualTo("ivit: 1 of 21 pictures cannot be read and were left out\n");
    assertThat(outcome.out().lines()).hasSize(60);
    JsonNode most = new ObjectMapper().readTree(json.toFile());
    assertThat(most.path("pictures")).hasSize(20);
    assertThat(most.path("refused")).hasSize(1);
    assertThat(most.path("refused").get(0).asText()).contains("bee/3.png");
    Files.delete(json);
    Path empty = Files.createDirectories(folder.resolve("none"));
    refused(List.of("predict", "--model", checkpoint, empty), empty + ": found no picture");
    refused(with(command, "--top", 0), "--top");
  }

  @Test
  void jsonOnTheStandardOutputHasItToItself() throws IOException {
    List<List<Object>> commands =
        List.of(
            evaluate("--against", weights, "--architecture", MicroModel.DESCRIPTION),
            List.of("predict", "--model", checkpoint, pictures.resolve("bee/1.png")),
            List.of("bench", "--model", checkpoint, "--batch", "1", "--seconds", 0.02),
            List.of(
                "diagnose",
                "--model",
                checkpoint,
                "--against",
                weights,
                "--data",
                pictures,
                "--limit",
                2));
    for (List<Object> command : commands) {
      Outcome outcome = run(with(command, "--json", "-").toArray());
      assertThat(outcome.code()).as(outcome.err()).isZero();
      try (var values =
          new ObjectMapper().readerFor(JsonNode.class).<JsonNode>readValues(outcome.out())) {
        assertThat(values.readAll()).hasSize(1);
      }
      assertThat(outcome.out()).startsWith("{");
    }
    assertThat(Path.of("-")).doesNotExist();
  }

  @Test
  void evaluationsHaveAReport() throws IOException {
    Path html = folder.resolve("evaluation.html");
    String text =
        done(
            evaluate("--against", weights, "--architecture", MicroModel.DESCRIPTION, "--html", html)
                .toArray());
    assertThat(text).contains("kernels    ", "processor  " + Processor.name());
    String page = Files.readString(html);
    assertThat(page)
        .contains("Worst disagreements", "data:image/png", "Confusion", "Agreement", "McNemar")
        .contains(Digests.file(checkpoint), Digests.file(weights), "ivit ", Processor.name())
        .contains("<th scope=\"row\">cat</th>", "ant/0.png", "prefers-color-scheme: dark");
    done(evaluate("--html", html, "--limit", 5).toArray());
    assertThat(Files.readString(html)).contains("Pictures with the largest loss");
    Files.delete(html);
    refused(evaluate("--html", folder), "--html");
  }

  @Test
  void aRunIsTrainedExportedAndEvaluated() throws IOException {
    Path recipe =
        Files.writeString(
            folder.resolve("recipe.yaml"),
            "architecture: "
                + MicroModel.DESCRIPTION.replace(":", ": ")
                + "\nweights: "
                + weights
                + "\ndata: {train: "
                + pictures
                + ", validation: "
                + pictures
                + ", preprocessing: {resize: 16}}"
                + "\nquantization: {calibration: {pictures: 8, batchSize: 4}}"
                + "\nschedule: {epochs: 0}\nthreads: 1\n");
    Path run = folder.resolve("run");
    Path output = folder.resolve("run.ivit.safetensors");
    Outcome trained = run("train", "--config", recipe, "--output", run);
    assertThat(trained.code()).isZero();
    assertThat(trained.out().lines())
        .containsExactly(
            "the run is in " + run,
            "next: scripts/ivit export --run " + run + " --output " + run + ".ivit.safetensors");
    String exported = done("export", "--run", run, "--output", output, "--verify", 6);
    assertThat(exported).contains("logits of 6 pictures identical");
    assertThat(exported.lines().skip(1))
        .containsExactly(
            "file sha256 " + Digests.file(output),
            "digest      " + Safetensors.read(output).metadata().get("sha256"),
            "next: scripts/ivit evaluate --model " + output + " --data DIR",
            "next: scripts/ivit predict --model " + output + " IMAGE");
    assertThat(done("inspect", output))
        .contains("micro.safetensors", "recipe", "epochs: 0", "ant; bee; cat");
    Path first = folder.resolve("from-run.safetensors");
    Path second = folder.resolve("from-file.safetensors");
    done("evaluate", "--model", run, "--data", pictures, "--logits", first);
    done("evaluate", "--model", output, "--data", pictures, "--logits", second);
    assertThat(Safetensors.read(first).tensors()).isEqualTo(Safetensors.read(second).tensors());

    Path diagnosis = folder.resolve("diagnosis.json");
    Path page = folder.resolve("diagnosis.html");
    List<Object> diagnose =
        List.of("diagnose", "--run", run, "--against", weights, "--data", pictures);
    assertThat(
            run(with(diagnose, "--limit", 5, "--top", 3, "--json", diagnosis, "--html", page)
                    .toArray())
                .out())
        .contains("5 pictures", "blocks.0.", "and 12 nodes that cost less");
    assertThat(new ObjectMapper().readTree(diagnosis.toFile()).get("nodes")).hasSize(15);
    assertThat(page).content().contains("blocks.0.mlp.fc2");
    assertThat(
            run(
                    "diagnose",
                    "--model",
                    output,
                    "--against",
                    weights,
                    "--data",
                    pictures,
                    "--limit",
                    5,
                    "--json",
                    diagnosis)
                .out())
        .contains("model      " + output, "5 pictures", "blocks.0.");
    assertThat(new ObjectMapper().readTree(diagnosis.toFile()).get("nodes")).hasSize(15);
    refused(with(diagnose, "--model", output), "--run, --model: expected exactly one");
    refused(
        List.of("diagnose", "--model", weights, "--against", weights, "--data", pictures),
        weights.toString());
    refused(
        List.of("diagnose", "--run", pictures, "--against", weights, "--data", pictures),
        pictures.toString());
    refused(
        List.of("diagnose", "--run", run, "--against", folder.resolve("no"), "--data", pictures),
        "--against");
    refused(with(diagnose, "--limit", 0), "--limit");
    refused(
        List.of("diagnose", "--run", run, "--against", output, "--data", pictures),
        "--against: " + output,
        "an integer checkpoint",
        "expected the float model");
    refused(
        List.of("diagnose", "--model", output, "--against", run, "--data", pictures),
        "--against: " + run,
        "a quantized run",
        "expected the float model");

    refused(List.of("train", "--config", recipe, "--output", run), "holds a run already");
    refused(
        List.of("export", "--run", run, "--output", output, "--weights", "ema"),
        "no moving average");
    refused(List.of("export", "--run", run, "--output", output, "--weights", "x"), "--weights");
    refused(List.of("export", "--run", run, "--output", output, "--verify", -1), "--verify");
    refused(List.of("train", "--resume", run, "--set", "seed=2"), "--resume", "--set");
    refused(List.of("train", "--config", recipe, "--set", "sed=2"), "sed");
  }

  @Test
  void aSwinGoesTheWholeWay() throws IOException {
    String description =
        "{kind: swin, image: 16, patch: 2, window: 2, dim: 4, depths: [2, 1], heads: [1, 2],"
            + " classes: 3}";
    String rest =
        "\ndata: {train: "
            + pictures
            + ", validation: "
            + pictures
            + ", preprocessing: {resize: 16}}"
            + "\naugmentation: {randomResizedCrop: none, colorJitter: 0, randomErasing: 0}"
            + "\noptimizer: {batchSize: 6}\nschedule: {epochs: 1}\nthreads: 1\n";
    Path real =
        Files.writeString(
            folder.resolve("swin-float.yaml"),
            "architecture: " + description + "\nprecision: float" + rest);
    Path realRun = folder.resolve("swin-float");
    assertThat(run("train", "--config", real, "--output", realRun).err()).isEmpty();
    Path start = realRun.resolve("checkpoints/2/weights.safetensors");
    Path integers =
        Files.writeString(
            folder.resolve("swin.yaml"),
            "architecture: "
                + description
                + "\nweights: "
                + start
                + "\nquantization: {calibration: {pictures: 8, batchSize: 4}}"
                + rest);
    Path run = folder.resolve("swin");
    assertThat(run("train", "--config", integers, "--output", run).err()).isEmpty();
    Path output = folder.resolve("swin.ivit.safetensors");
    assertThat(done("export", "--run", run, "--output", output, "--verify", 12))
        .contains("logits of 12 pictures identical");
    assertThat(done("inspect", output))
        .contains("window 2", "depths [2, 1]", "layers.0.blocks.1.attn.biased", "pool");
    assertThat(done("evaluate", "--model", output, "--data", pictures, "--against", realRun))
        .contains("12 pictures, 3 classes", "agreement");
    assertThat(done("predict", "--model", output, pictures.resolve("bee/1.png")))
        .contains(" %  ant", " %  bee", " %  cat");
    assertThat(run("bench", "--model", output, "--batch", "2", "--seconds", 0.02).code()).isZero();
  }

  @Test
  void aFloatRunCannotBeExported() throws IOException {
    Path recipe =
        Files.writeString(
            folder.resolve("float.yaml"),
            "architecture: "
                + MicroModel.DESCRIPTION.replace(":", ": ")
                + "\nprecision: float\ndata: {train: "
                + pictures
                + ", preprocessing: {resize: 16}}"
                + "\naugmentation: {randomResizedCrop: none, colorJitter: 0, randomErasing: 0}"
                + "\noptimizer: {batchSize: 6}\nschedule: {epochs: 1}\nthreads: 1\n");
    Path run = folder.resolve("float-run");
    Outcome trained = run("train", "--config", recipe, "--output", run);
    assertThat(trained.code()).isZero();
    assertThat(trained.out())
        .contains("next: scripts/ivit evaluate --model " + run + " --data DIR");
    assertThat(done("evaluate", "--model", run, "--data", pictures)).contains("engine float");
    refused(
        List.of("export", "--run", run, "--output", folder.resolve("x")),
        "float precision",
        "precision: quantized");
  }

  @Test
  void aPublishedCheckpointBecomesAnIntegerCheckpoint() throws IOException {
    Path published = MicroModel.published(folder.resolve("checkpoint.pth.tar"));
    Path output = folder.resolve("published.ivit.safetensors");
    List<Object> args = List.of("export", "--published-checkpoint", published, "--output", output);
    refused(args, "--architecture");
    refused(with(args, "--architecture", "deit_tiny_patch16_224"), "not the weights of");
    refused(
        List.of(
            "export",
            "--published-checkpoint",
            weights,
            "--output",
            output,
            "--architecture",
            MicroModel.DESCRIPTION),
        "holds no scale");
    Path two = Files.writeString(folder.resolve("two.txt"), "ant\nbee\n");
    refused(
        with(args, "--architecture", MicroModel.DESCRIPTION, "--classes", two),
        "two.txt: has 2 classes, expected the 3");
    refused(with(args, "--run", folder), "--run");

    Path three = Files.writeString(folder.resolve("three.txt"), "ant\nbee\ncat\n");
    assertThat(
            done(
                with(args, "--architecture", MicroModel.DESCRIPTION, "--classes", three).toArray()))
        .contains("15 scales taken over, bounds proved", "\nfile sha256 ", "\ndigest ");
    assertThat(done("inspect", output)).contains("checkpoint.pth.tar", "row", "ant; bee; cat");
    assertThat(done("evaluate", "--model", output, "--data", pictures)).contains("12 pictures");
  }

  @Test
  void aModelBecomesAnOnnxFile() throws IOException {
    Path output = folder.resolve("micro.onnx");
    List<Object> args = List.of("export", "--format", "onnx", "--output", output);
    List<Object> floats = with(args, "--model", weights);
    refused(floats, "--architecture");
    refused(with(floats, "--architecture", "deit_tiny_patch16_224"), "not the weights of");
    refused(with(args, "--model", checkpoint), "is an integer checkpoint");
    refused(with(args, "--model", folder.resolve("none")), "--model", "no such file");
    refused(with(args, "--run", folder.resolve("none")), "--run", "no such folder");
    refused(with(args, "--published-checkpoint", weights), "--published-checkpoint", "ivit");
    refused(
        List.of("export", "--output", output, "--model", weights, "--format", "tflite"),
        "--format: 'tflite'");
    refused(List.of("export", "--output", output, "--model", weights), "--model", "--run");
    List<Object> complete = with(floats, "--architecture", MicroModel.DESCRIPTION);
    Path two = Files.writeString(folder.resolve("two.txt"), "ant\nbee\n");
    refused(with(complete, "--classes", two), "two.txt: has 2 classes, expected the model's 3");

    Path three = Files.writeString(folder.resolve("three.txt"), "ant\nbee\ncat\n");
    assertThat(done(with(complete, "--classes", three).toArray()))
        .contains("micro.onnx: onnx, opset 17", "file sha256 " + Digests.file(output));
    ModelProto model = ModelProto.parseFrom(Files.readAllBytes(output));
    Map<String, String> metadata =
        model.getMetadataPropsList().stream()
            .collect(Collectors.toMap(entry -> entry.getKey(), entry -> entry.getValue()));
    assertThat(metadata)
        .containsEntry("format", "onnx")
        .containsEntry("classes", "[\"ant\",\"bee\",\"cat\"]")
        .containsEntry("source", "micro.safetensors")
        .containsEntry("source_sha256", Digests.file(weights))
        .containsKeys("architecture", "preprocess", "date", "version");
  }

  @Test
  void anIntegerCheckpointBecomesAQuantizedOnnxFile() throws IOException {
    Path output = folder.resolve("micro-qdq.onnx");
    List<Object> args = List.of("export", "--format", "onnx-qdq", "--output", output);
    refused(with(args, "--model", weights), weights.toString());
    List<Object> integers = with(args, "--model", checkpoint);
    refused(with(integers, "--architecture", "deit_tiny_patch16_224"), "--architecture");
    assertThat(output).doesNotExist();
    assertThat(done(integers.toArray()))
        .contains("micro-qdq.onnx: onnx-qdq, opset 17", "file sha256 ")
        .doesNotContain("digest");
    byte[] unsigned = Files.readAllBytes(output);
    done(with(integers, "--qdq-weights", "unsigned").toArray());
    assertThat(weightTypes(output)).containsOnly(DataType.UINT8.getNumber());
    done(with(integers, "--qdq-weights", "signed").toArray());
    assertThat(weightTypes(output)).containsOnly(DataType.INT8.getNumber());
    Files.write(output, unsigned);
    assertThat(weightTypes(output)).containsOnly(DataType.UINT8.getNumber());
    refused(with(integers, "--qdq-weights", "int4"), "--qdq-weights: 'int4'", "unsigned, signed");
    refused(
        List.of(
            "export",
            "--format",
            "onnx-integer",
            "--output",
            output,
            "--model",
            checkpoint,
            "--qdq-weights",
            "signed"),
        "--qdq-weights",
        "onnx-qdq");
    ModelProto model = ModelProto.parseFrom(Files.readAllBytes(output));
    assertThat(model.getGraph().getNodeList().stream().map(NodeProto::getOpType))
        .contains("QuantizeLinear", "DequantizeLinear", "Gemm");

    Path exact = folder.resolve("micro-integer.onnx");
    assertThat(done("export", "--format", "onnx-integer", "--output", exact, "--model", checkpoint))
        .contains("micro-integer.onnx: onnx-integer, opset 17", "sha256");
    assertThat(
            ModelProto.parseFrom(Files.readAllBytes(exact)).getGraph().getNodeList().stream()
                .map(NodeProto::getOpType))
        .contains("MatMulInteger", "BitShift")
        .doesNotContain("QuantizeLinear", "MatMul", "Gemm", "Softmax", "Erf");
  }

  /** Of the constants that are 8-bit weights of a QDQ model. */
  private static Set<Integer> weightTypes(Path onnx) throws IOException {
    return ModelProto.parseFrom(Files.readAllBytes(onnx)).getGraph().getInitializerList().stream()
        .filter(tensor -> tensor.getName().matches(".*(qkv|proj|fc1|fc2|head)\\.weight(_zero)?"))
        .map(tensor -> tensor.getDataType())
        .collect(Collectors.toSet());
  }

  private static List<Object> with(List<Object> args, Object... more) {
    List<Object> all = new ArrayList<>(args);
    all.addAll(Arrays.asList(more));
    return all;
  }

  @Test
  void asksWhatWasMeant() throws IOException {
    refused(
        List.of("evaluat"), "unknown command evaluat (did you mean evaluate?) (see ivit --help)");
    refused(List.of("exprot", "--run", "x"), "unknown command exprot (did you mean export?)");
    refused(evaluate("--limt", 3), "unknown option --limt (did you mean --limit?)");
    refused(evaluate("--limt=3"), "unknown option --limt (did you mean --limit?)");
    refused(
        List.of("bench", "--modle", checkpoint), "unknown option --modle (did you mean --model?)");
    refused(
        List.of("evaluate", "--data", pictures, "--mdel", checkpoint), "(did you mean --model?)");
    refused(
        evaluate("twice"), "found twice, expected no more arguments (see ivit evaluate --help)");
    refused(
        List.of("bench", "--model", weights, "--architecture", "deit_tiny_patch16_244"),
        "(did you mean deit_tiny_patch16_224?)");
  }

  @Test
  void inspectCountsOutlierChannelsAndListsThemWithVerbose() throws IOException {
    Path file = MicroModel.withOutliers(folder.resolve("outliers.ivit.safetensors"));
    assertThat(done("inspect", file))
        .contains("outliers      3 channels at 2 nodes")
        .doesNotContain("channels [");
    assertThat(run("inspect", "--verbose", file).out())
        .contains("outliers      3 channels at 2 nodes")
        .contains("outliers      blocks.0.norm1: channels [1, 7], k = 2")
        .contains("outliers      norm: channels [4], k = 1");
    assertThat(done("inspect", checkpoint)).contains("outliers      none");
    Files.delete(file);
  }

  @Test
  void usageErrorsAreOneLine() throws IOException {
    refused(evaluate("--nonsense"), "--nonsense");
    refused(List.of("nonsense"), "nonsense");
    refused(List.of("evaluate"), "--model", "--data");
    refused(List.of("train"), "--config");
    refused(List.of("export", "--run", folder), "--output");
    refused(List.of("predict", "--model", checkpoint), "IMAGE");
    refused(List.of("inspect"), "F");
    refused(List.of("bench"), "--model");
    refused(List.of("bench-loader"), "--config");
    refused(evaluate("--batch", "many"), "--batch", "many");
    refused(evaluate("--batch", 0), "--batch", "0", "at least 1");
    refused(evaluate("--limit", -1), "--limit", "-1");
    refused(evaluate("--threads", -1), "--threads", "-1");
    refused(evaluate("--engine", "warp"), "warp", "cpu", "reference");
    refused(evaluate("--threads", 1025), "--threads", "1025", "0 to 1024");
    refused(evaluate("--engine", "cuda", "--gpu", -1), "--gpu", "-1");
    refused(evaluate("--gpu", "all"), "--gpu", "all");
    refused(evaluate("--device", 0), "--device");
    refused(List.of("bench", "--model", checkpoint, "--batch", "1,0"), "--batch");
    refused(List.of("bench", "--model", checkpoint, "--seconds", "-1"), "--seconds");
  }

  @Test
  void otherPlacesNeedAnotherCommand() throws IOException {
    String hint = "expected the command scripts/ivit-spark in place of scripts/ivit";
    for (String there : List.of("hdfs://host/val", "s3a://bucket/val")) {
      refused(List.of("evaluate", "--model", checkpoint, "--data", there), there + ": ", hint);
      refused(
          List.of(
              "diagnose",
              "--model",
              checkpoint,
              "--against",
              weights,
              "--architecture",
              MicroModel.DESCRIPTION,
              "--data",
              there),
          there + ": ",
          hint);
    }
    refused(
        List.of("convert", "--data", pictures, "--output", folder.resolve("a.parquet")),
        "convert: ",
        hint);
    refused(List.of("convert", "--data", pictures), "--output");
  }

  @Test
  void withoutADriverTheGpuIsRefusedInOneLine() throws IOException {
    System.setProperty("ivit.cuda.driver", "libno-such-driver.so");
    try {
      refused(
          evaluate("--engine", "cuda", "--gpu", 0),
          "engine cuda: no NVIDIA driver",
          "CUDA 12.0",
          "525");
    } finally {
      System.clearProperty("ivit.cuda.driver");
    }
  }

  @Test
  void missingFilesAreNamed() throws IOException {
    Path missing = folder.resolve("missing");
    refused(List.of("evaluate", "--model", missing, "--data", pictures), "missing", "no such");
    refused(List.of("evaluate", "--model", checkpoint, "--data", missing), "missing", "no such");
    refused(evaluate("--against", missing), "missing", "no such");
    refused(evaluate("--classes", missing), "missing", "no such");
    refused(evaluate("--json", missing.resolve("a.json")), "missing", "does not exist");
    refused(evaluate("--logits", folder), "is a folder");
    refused(List.of("predict", "--model", checkpoint, missing), "missing", "no such");
    refused(List.of("inspect", missing), "missing", "no such");
    refused(List.of("inspect", folder), "is a folder");
    refused(List.of("bench", "--model", missing), "missing", "no such");
    refused(List.of("bench-loader", "--config", missing), "missing", "no such");
    refused(List.of("train", "--config", missing), "missing", "no such");
    refused(List.of("train", "--resume", missing), "missing", "no such");
    refused(List.of("export", "--run", missing, "--output", folder.resolve("x")), "missing");
  }

  @Test
  void otherKindsOfFilesAreRefused() throws IOException {
    Path picture = pictures.resolve("ant/0.png");
    refused(List.of("inspect", picture), "0.png");
    refused(List.of("bench", "--model", picture), "0.png");
    refused(List.of("predict", "--model", checkpoint, weights), "micro.safetensors");
    refused(List.of("evaluate", "--model", weights, "--data", pictures), "--architecture");
    refused(
        List.of("evaluate", "--model", weights, "--data", pictures, "--architecture", "vit_none"),
        "vit_none");
    refused(
        List.of(
            "evaluate",
            "--model",
            weights,
            "--data",
            pictures,
            "--architecture",
            MicroModel.DESCRIPTION,
            "--engine",
            "cpu"),
        "float weights");
    refused(List.of("evaluate", "--model", pictures, "--data", pictures), "no run directory");
    refused(
        List.of("export", "--run", pictures, "--output", folder.resolve("x")), "no run directory");
    refused(List.of("train", "--config", picture), "0.png");
    refused(
        List.of("train", "--config", picture, "--set", "nonsense"),
        "--set",
        "nonsense",
        "key=value");
  }

  @Test
  void classCountsMustMatch() throws IOException {
    Path two = MicroModel.pictures(folder.resolve("two"), List.of("ant", "dog"), 1);
    refused(List.of("evaluate", "--model", checkpoint, "--data", two), "dog");
    Path list = Files.writeString(folder.resolve("two.txt"), "ant\ndog\n");
    refused(
        List.of("evaluate", "--model", checkpoint, "--data", two, "--classes", list),
        "two.txt",
        "2 classes",
        "expected 3");
    refused(
        List.of("predict", "--model", checkpoint, "--classes", list, two.resolve("ant/0.png")),
        "2 classes",
        "expected 3");
    refused(
        List.of(
            "evaluate",
            "--model",
            weights,
            "--data",
            pictures,
            "--architecture",
            MicroModel.DESCRIPTION.replace("\"classes\":3", "\"classes\":4")),
        "class count",
        "4 classes");
    refused(
        List.of(
            "evaluate",
            "--model",
            weights,
            "--data",
            two,
            "--architecture",
            MicroModel.DESCRIPTION),
        "2 classes",
        "expected 3");
  }

  @Test
  void damagedCheckpointsAreRefused() throws IOException {
    byte[] good = Files.readAllBytes(checkpoint);
    Path bad = folder.resolve("bad.ivit.safetensors");
    for (int length : new int[] {0, 4, 100, good.length / 2, good.length - 1}) {
      Files.write(bad, Arrays.copyOf(good, length));
      refused(List.of("inspect", bad), "bad.ivit");
      refused(List.of("bench", "--model", bad), "bad.ivit");
    }
    for (int at : new int[] {3, 40, good.length / 2, good.length - 1}) {
      byte[] flipped = good.clone();
      flipped[at] ^= 4;
      Files.write(bad, flipped);
      refused(List.of("evaluate", "--model", bad, "--data", pictures), "bad.ivit");
    }
    Files.delete(bad);
  }

  @Test
  void corruptPicturesAndEmptyClassesAreNamed() throws IOException {
    Path broken = MicroModel.pictures(folder.resolve("broken"), MicroModel.CLASSES, 1);
    Path empty = broken.resolve("bee/0.png");
    Files.write(empty, new byte[] {(byte) 0x89, 'P', 'N', 'G', 1, 2, 3});
    Path json = folder.resolve("broken.json");
    refused(
        List.of("evaluate", "--model", checkpoint, "--data", broken, "--json", json), "bee/0.png");
    Files.delete(empty);
    refused(List.of("evaluate", "--model", checkpoint, "--data", broken), "bee");
  }
}
