package org.ivit.export.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.ivit.export.cli.Commands.done;
import static org.ivit.export.cli.Commands.run;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.ivit.core.io.Digests;
import org.ivit.core.tensor.DType;
import org.ivit.core.tensor.Safetensors;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.tensor.TensorFile;
import org.ivit.export.cli.Commands.Outcome;
import org.ivit.export.features.FeatureFile;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Commands on a model that answers with features. */
class FeatureCommandsTest {
  @TempDir static Path folder;

  private static Path checkpoint;
  private static Path weights;
  private static Path pictures;

  @BeforeAll
  static void files() throws IOException {
    checkpoint = MicroModel.featureCheckpoint(folder.resolve("features.ivit.safetensors"));
    weights = MicroModel.featureWeights(folder.resolve("features.safetensors"));
    pictures = MicroModel.pictures(folder.resolve("pictures"), MicroModel.CLASSES, 5);
  }

  private static JsonNode json(Object... args) throws IOException {
    List<Object> all = new ArrayList<>(Arrays.asList(args));
    all.addAll(List.of("--json", "-"));
    return new ObjectMapper().readTree(done(all.toArray()));
  }

  private static void refused(Object[] args, String... texts) throws IOException {
    List<Path> before = everything();
    Outcome outcome = run(args);
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

  private static Object[] with(Object[] args, Object... more) {
    return Stream.of(args, more).flatMap(Arrays::stream).toArray();
  }

  private static Object[] evaluate(Object... more) {
    return with(
        new Object[] {"evaluate", "--model", checkpoint, "--data", pictures, "--batch", 4}, more);
  }

  private static Object[] embed(Path output, Object... more) {
    return with(
        new Object[] {
          "embed", "--model", checkpoint, "--data", pictures, "--output", output, "--batch", 4
        },
        more);
  }

  @Test
  void embedsPicturesAndFindsThemAgain() throws IOException {
    Path index = folder.resolve("index.safetensors");
    assertThat(done(embed(index)))
        .contains(
            "answer     features, 6 wide", "15 features, 6 int32 codes", "next: scripts/ivit");
    FeatureFile file = FeatureFile.read(index);
    assertThat(file.features().count()).isEqualTo(15);
    assertThat(file.names().get(14)).isEqualTo(pictures.resolve("cat/4.png").toString());
    assertThat(file.metadata())
        .containsEntry("model_sha256", Digests.file(checkpoint))
        .containsEntry("architecture", "micro")
        .containsKeys("model_digest", "scale_hex");
    Path page = folder.resolve("found.html");
    Path asked = pictures.resolve("bee/2.png");
    Object[] search = {
      "search", "--index", index, "--model", checkpoint, asked, "--top", 3, "--html", page
    };
    String found = done(search);
    assertThat(found.lines()).hasSize(4);
    assertThat(found.lines().toList().get(0)).isEqualTo(asked.toString());
    assertThat(found.lines().toList().get(1)).contains("1.0000  " + asked);
    assertThat(Files.readString(page))
        .contains("asked for", "bee/2.png", "data:image/png;base64,", Digests.file(index));
    JsonNode answer = json(search).path("pictures").get(0);
    assertThat(answer.path("found")).hasSize(3);
    assertThat(answer.path("found").get(0).path("row").asInt()).isEqualTo(7);
    assertThat(answer.path("found").get(0).path("cosine").asDouble()).isEqualTo(1);
    refused(
        new Object[] {
          "search",
          "--index",
          index,
          "--model",
          weights,
          "--architecture",
          MicroModel.FEATURES,
          asked
        },
        index.toString(),
        "the index is of another model");
    Files.delete(index);
    Files.delete(page);
  }

  @Test
  void batchesThreadsEnginesAndFormatsDoNotChangeFeatures() throws IOException {
    Path first = folder.resolve("first.safetensors");
    Path second = folder.resolve("second.safetensors");
    Path real = folder.resolve("real.safetensors");
    Path array = folder.resolve("array.npy");
    done(embed(first));
    done(embed(second, "--engine", "reference", "--threads", 1));
    done(embed(real, "--float", "--limit", 2));
    done(embed(array));
    int[] codes = FeatureFile.read(first).features().codes();
    assertThat(FeatureFile.read(second).features().codes()).isEqualTo(codes);
    TensorFile values = Safetensors.read(real);
    assertThat(values.get("features").dtype()).isEqualTo(DType.F32);
    float scale = FeatureFile.read(first).features().scale();
    assertThat(values.get("features").floats()[3]).isEqualTo(codes[3] * scale);
    assertThat(values.get("features").shape()).containsExactly(2, 6);
    assertThat(Files.size(array)).isEqualTo(128 + 4 * 15 * 6);
    for (String name :
        List.of(
            "first.safetensors",
            "second.safetensors",
            "real.safetensors",
            "array.npy",
            "array.npy.json")) {
      Files.delete(folder.resolve(name));
    }
  }

  @Test
  void aFloatModelHasFeaturesToo() throws IOException {
    Path file = folder.resolve("float.safetensors");
    JsonNode result =
        json(
            "embed",
            "--model",
            weights,
            "--architecture",
            MicroModel.FEATURES,
            "--data",
            pictures.resolve("ant/0.png"),
            pictures.resolve("cat"),
            "--output",
            file);
    assertThat(result.path("output").path("images").asInt()).isEqualTo(6);
    assertThat(result.path("output").path("type").asText()).isEqualTo("float32");
    assertThat(result.path("answer").asText()).isEqualTo("features");
    assertThat(FeatureFile.read(file).features().integer()).isFalse();
    Files.delete(file);
  }

  @Test
  void corruptPicturesAreRefusedOrNamed() throws IOException {
    Path broken = Files.createDirectory(folder.resolve("broken"));
    Files.copy(pictures.resolve("ant/0.png"), broken.resolve("a.png"));
    Files.writeString(broken.resolve("b.png"), "no picture");
    Path file = folder.resolve("broken.safetensors");
    Object[] args = {"embed", "--model", checkpoint, "--data", broken, "--output", file};
    refused(args, "b.png");
    JsonNode result = json(with(args, "--skip-corrupt"));
    assertThat(result.path("skipped").path("count").asInt()).isEqualTo(1);
    assertThat(FeatureFile.read(file).names()).containsExactly(broken.resolve("a.png").toString());
    Files.delete(file);
  }

  @Test
  void neighboursInAGalleryVote() throws IOException {
    Path page = folder.resolve("neighbours.html");
    Object[] args =
        evaluate(
            "--gallery",
            MicroModel.pictures(folder.resolve("gallery"), MicroModel.CLASSES, 6),
            "--neighbours",
            1,
            "--against",
            weights,
            "--architecture",
            MicroModel.FEATURES,
            "--html",
            page);
    JsonNode result = json(args);
    assertThat(result.path("neighbours").path("k").asInt()).isEqualTo(1);
    assertThat(result.path("neighbours").path("temperature").asDouble()).isEqualTo(0.07);
    assertThat(result.path("neighbours").path("gallery").path("images").asInt()).isEqualTo(18);
    assertThat(result.path("images").asInt()).isEqualTo(15);
    assertThat(result.path("top1").path("count").asInt()).isBetween(0, 15);
    JsonNode against = result.path("against");
    assertThat(against.path("cosine").path("mean").asDouble()).isBetween(0.9, 1.0);
    assertThat(against.path("cosine").path("worst").asDouble())
        .isLessThanOrEqualTo(against.path("cosine").path("mean").asDouble());
    assertThat(against.path("cosine").path("worst_picture").asText()).endsWith(".png");
    assertThat(against.path("nearest_unchanged").path("count").asInt()).isBetween(0, 15);
    assertThat(against.path("agreement").path("count").asInt())
        .isGreaterThanOrEqualTo(against.path("nearest_unchanged").path("count").asInt());
    assertThat(against.path("mcnemar").path("pValue").asDouble()).isBetween(0.0, 1.0);
    assertThat(Files.readString(page))
        .contains("Pictures with the smallest cosine", "nearest:", "Confusion", "top-1");
    String text = done(args);
    assertThat(text).contains("top-1", "cosine     mean 0.9", "nearest    unchanged", "McNemar");
  }

  /** The first five of each class are the pictures that are asked for, and find themselves. */
  @Test
  void aPictureIsNotItsOwnNeighbour() throws IOException {
    Path again = folder.resolve("again");
    if (Files.notExists(again)) {
      for (String name : MicroModel.CLASSES) {
        Files.createDirectories(again.resolve(name));
        for (int i = 0; i < 5; i++) {
          String file = name + "/" + i + ".png";
          Files.copy(pictures.resolve(file), again.resolve(file));
        }
      }
    }
    JsonNode copies = json(evaluate("--gallery", again, "--neighbours", 1));
    assertThat(copies.path("top1").path("count").asInt()).isEqualTo(15);
    JsonNode same = json(evaluate("--gallery", pictures, "--neighbours", 1));
    assertThat(same.path("top1").path("count").asInt()).isLessThan(15);
    assertThat(done(evaluate("--gallery", pictures, "--neighbours", 1)))
        .contains("none is its own neighbour");
  }

  @Test
  void classEmbeddingsClassify() throws IOException {
    Path index = folder.resolve("means.safetensors");
    done(embed(index));
    int[] codes = FeatureFile.read(index).features().codes();
    float[] first = new float[18];
    for (int c = 0; c < 3; c++) {
      for (int i = 0; i < 6; i++) {
        first[6 * c + i] = codes[5 * 6 * c + i];
      }
    }
    Path embeddings = folder.resolve("classes.safetensors");
    Safetensors.write(
        embeddings,
        Map.of("embeddings", Tensor.of(first, 3, 6)),
        Map.of("classes", "[\"ant\",\"bee\",\"cat\"]"));
    JsonNode result = json(evaluate("--class-embeddings", embeddings, "--limit", 1));
    assertThat(result.path("top1").path("count").asInt()).isEqualTo(1);
    assertThat(result.path("class_embeddings").path("file_sha256").asText())
        .isEqualTo(Digests.file(embeddings));
    assertThat(json(evaluate("--class-embeddings", embeddings)).path("top1").path("count").asInt())
        .isGreaterThanOrEqualTo(3);
    Safetensors.write(embeddings, Map.of("embeddings", Tensor.of(new float[20], 4, 5)), Map.of());
    refused(evaluate("--class-embeddings", embeddings), "rows 5 wide, expected 6");
    Safetensors.write(embeddings, Map.of("embeddings", Tensor.of(new float[24], 4, 6)), Map.of());
    refused(evaluate("--class-embeddings", embeddings), "found 3 classes, expected 4");
    Files.delete(index);
    Files.delete(embeddings);
  }

  @Test
  void twoModelsAreComparedWithoutClasses() throws IOException {
    JsonNode result = json(evaluate("--against", weights, "--architecture", MicroModel.FEATURES));
    assertThat(result.has("top1")).isFalse();
    assertThat(result.path("against").path("cosine").path("mean").asDouble()).isBetween(0.9, 1.0);
    assertThat(result.path("against").has("agreement")).isFalse();
    Path page = folder.resolve("compared.html");
    done(evaluate("--against", weights, "--architecture", MicroModel.FEATURES, "--html", page));
    assertThat(Files.readString(page))
        .contains("Pictures with the smallest cosine")
        .doesNotContain("Confusion");
    Files.delete(page);
  }

  @Test
  void theSameCodesHaveCosineOne() throws IOException {
    JsonNode against =
        json(evaluate("--gallery", pictures, "--against", checkpoint)).path("against");
    assertThat(against.path("cosine").path("worst").asDouble()).isEqualTo(1);
    assertThat(against.path("nearest_unchanged").path("count").asInt()).isEqualTo(15);
    assertThat(against.path("agreement").path("count").asInt()).isEqualTo(15);
  }

  @Test
  void othersSayWhatToUse() throws IOException {
    refused(
        new Object[] {"predict", "--model", checkpoint, pictures},
        "answers with features",
        "embed");
    refused(evaluate(), "answers with features", "--gallery DIR", "ivit embed");
    refused(evaluate("--gallery", pictures, "--spark", "local[1]"), "--spark");
    refused(
        evaluate("--gallery", pictures, "--logits", folder.resolve("l.safetensors")),
        "--logits",
        "embed");
    Path classes = MicroModel.checkpoint(folder.resolve("classes.ivit.safetensors"));
    refused(
        evaluate("--gallery", pictures, "--against", classes),
        "--against",
        "answers with 3 classes, expected features 6 wide");
    refused(
        new Object[] {"evaluate", "--model", classes, "--data", pictures, "--against", checkpoint},
        "--against",
        "answers with features 6 wide, expected 3 classes");
    Files.delete(classes);
  }

  @Test
  void inspectBenchAndDiagnoseKnowFeatures() throws IOException {
    assertThat(done("inspect", checkpoint))
        .contains("answer        features", "features 6", "feature scale")
        .doesNotContain("classes");
    // A busy machine is said on the error stream, so that this is not looked at.
    Path bench = folder.resolve("bench.json");
    Object[] args = {"bench", "--model", checkpoint, "--batch", 1, "--seconds", 0.01};
    assertThat(run(with(args, "--json", bench)).code()).isZero();
    assertThat(new ObjectMapper().readTree(bench.toFile()).path("answer").asText())
        .isEqualTo("features");
    Files.delete(bench);
    Object[] diagnose = {
      "diagnose", "--model", checkpoint, "--against", weights, "--data", pictures, "--limit", 3
    };
    assertThat(done(diagnose)).contains("integers   mean 1 \u2212 cosine 0.");
    JsonNode result = json(diagnose);
    assertThat(result.path("integersCosineDistance").asDouble()).isBetween(0.0, 0.1);
    assertThat(result.path("nodes").get(0).path("costCosineDistance").asDouble())
        .isBetween(-1e-9, 0.1);
  }

  /** Calibration takes any pictures, and the projection's input by 1 − cosine. */
  @Test
  void quantizesAModelThatAnswersWithFeatures() throws IOException {
    Path output = folder.resolve("quantized.ivit.safetensors");
    String said =
        done(
            "quantize",
            "--weights",
            weights,
            "--architecture",
            MicroModel.FEATURES,
            "--data",
            pictures,
            "--output",
            output);
    assertThat(said).contains("identical");
    JsonNode result =
        json(
            "evaluate",
            "--model",
            output,
            "--data",
            pictures,
            "--against",
            weights,
            "--architecture",
            MicroModel.FEATURES);
    assertThat(result.path("against").path("cosine").path("mean").asDouble()).isGreaterThan(0.99);
    Files.delete(output);
  }
}
