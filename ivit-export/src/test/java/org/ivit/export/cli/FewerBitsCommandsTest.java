package org.ivit.export.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.ivit.export.cli.Commands.done;
import static org.ivit.export.cli.Commands.run;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.ivit.core.tensor.Safetensors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every command takes a checkpoint whose weights have fewer than 8 bits. */
class FewerBitsCommandsTest {
  @TempDir static Path folder;

  private static Path checkpoint;
  private static Path features;
  private static Path weights;
  private static Path pictures;

  @BeforeAll
  static void write() throws IOException {
    checkpoint = MicroModel.ofFewerBits(folder.resolve("micro.ivit.safetensors"));
    features = MicroModel.featuresOfFewerBits(folder.resolve("features.ivit.safetensors"));
    weights = MicroModel.weights(folder.resolve("micro.safetensors"));
    pictures = MicroModel.pictures(folder.resolve("pictures"), MicroModel.CLASSES, 3);
  }

  @Test
  void inspect() {
    assertThat(done("inspect", checkpoint))
        .containsPattern("(?m)^kind +integer checkpoint, version 3$")
        .containsPattern("(?m)^  4 bits, group +1 ")
        .containsPattern("(?m)^  4 bits, table +1 ")
        .containsPattern("(?m)^  4 bits, uniform +1 ")
        .containsPattern("(?m)^  6 bits, group +1 ")
        .containsPattern("(?m)^  8 bits +2 ");
  }

  /** With the reference engine's answers, and with all reports. */
  @Test
  void evaluate() throws IOException {
    Path expected = folder.resolve("expected.safetensors");
    Path found = folder.resolve("found.safetensors");
    Path report = folder.resolve("report.json");
    Path html = folder.resolve("report.html");
    List<Object> command = List.of("evaluate", "--model", checkpoint, "--data", pictures);
    done(with(command, "--engine", "reference", "--logits", expected));
    done(with(command, "--logits", found, "--json", report, "--html", html));
    assertThat(Safetensors.read(found).get("logits").ints())
        .isEqualTo(Safetensors.read(expected).get("logits").ints());
    assertThat(new ObjectMapper().readTree(report.toFile()).at("/model/digest").asText())
        .hasSize(64);
    assertThat(html).isNotEmptyFile();
    String both =
        done(with(command, "--against", weights, "--architecture", MicroModel.DESCRIPTION));
    assertThat(both).contains("KL");
  }

  private static Object[] with(List<Object> command, Object... more) {
    return Stream.concat(command.stream(), Stream.of(more)).toArray();
  }

  @Test
  void predict() {
    assertThat(done("predict", "--model", checkpoint, pictures.resolve("ant/0.png")))
        .containsAnyOf("ant", "bee", "cat");
  }

  @Test
  void diagnose() {
    Path html = folder.resolve("diagnosis.html");
    String text =
        done(
            "diagnose",
            "--model",
            checkpoint,
            "--against",
            weights,
            "--architecture",
            MicroModel.DESCRIPTION,
            "--data",
            pictures,
            "--html",
            html);
    assertThat(text).contains("blocks.0.mlp.fc1");
    assertThat(html).isNotEmptyFile();
  }

  @Test
  void bench() {
    Commands.Outcome outcome =
        run("bench", "--model", checkpoint, "--batch", "1,2", "--seconds", 0.02);
    assertThat(outcome.code()).isZero();
    assertThat(outcome.out()).contains("micro").doesNotContain("as fast");
  }

  @Test
  void benchInTurns() throws IOException {
    Path json = folder.resolve("bench.json");
    Commands.Outcome outcome =
        run(
            "bench",
            "--model",
            checkpoint,
            "--beside",
            features,
            "--beside",
            checkpoint,
            "--batch",
            "1,3",
            "--seconds",
            0.02,
            "--json",
            json);
    assertThat(outcome.code()).as(outcome.err()).isZero();
    String text = outcome.out();
    assertThat(text.lines().filter(line -> line.contains(" x as fast: " + features))).hasSize(2);
    assertThat(text.lines().filter(line -> line.contains(" x as fast: " + checkpoint))).hasSize(2);
    JsonNode result = new ObjectMapper().readTree(json.toFile());
    assertThat(result.at("/model/path").asText()).isEqualTo(checkpoint.toString());
    assertThat(result.at("/beside/0/answer").asText()).isEqualTo("features");
    assertThat(result.at("/beside/1/model/path").asText()).isEqualTo(checkpoint.toString());
    for (String batches : List.of("/batches", "/beside/0/batches", "/beside/1/batches")) {
      assertThat(result.at(batches).findValuesAsText("batch")).containsExactly("1", "3");
    }
  }

  @Test
  void embed() {
    Path output = folder.resolve("rows.safetensors");
    done("embed", "--model", features, "--data", pictures, "--output", output);
    assertThat(Safetensors.read(output).tensors()).isNotEmpty();
  }

  @Test
  void onnxQdqSaysWhatBecomesOfTheWeights() {
    Path output = folder.resolve("qdq.onnx");
    assertThat(done("export", "--format", "onnx-qdq", "--model", checkpoint, "--output", output))
        .contains(
            "opset 21",
            "weights: 3 of 6 layers in 4 bits, decoded when the file is opened; 1 of 5 to 7 bits"
                + " as 8-bit codes, ONNX has no type for them");
  }

  @Test
  void onnxIntegerSaysWhatBecomesOfTheWeights() {
    Path output = folder.resolve("integer.onnx");
    assertThat(
            done("export", "--format", "onnx-integer", "--model", checkpoint, "--output", output))
        .contains(
            "opset 17",
            "weights: 4 of 6 layers have fewer than 8 bits, written as their 8-bit codes");
  }

  /** Models of 8 bits have no such line. */
  @ParameterizedTest
  @ValueSource(strings = {"onnx-qdq", "onnx-integer"})
  void onnxOfEightBits(String format) throws IOException {
    Path plain = MicroModel.checkpoint(folder.resolve("plain.ivit.safetensors"));
    Path output = Files.createTempDirectory(folder, "onnx").resolve("plain.onnx");
    assertThat(done("export", "--format", format, "--model", plain, "--output", output))
        .contains("opset 17")
        .doesNotContain("weights:");
  }
}
