package org.ivit.export.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.ivit.export.cli.Commands.done;
import static org.ivit.export.cli.Commands.run;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.ivit.core.checkpoint.CheckpointFile;
import org.ivit.core.checkpoint.IntegerCheckpoint;
import org.ivit.core.image.CropMode;
import org.ivit.core.image.Interpolation;
import org.ivit.core.image.Preprocess;
import org.ivit.core.tensor.Safetensors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The transform of pictures on the command line, in place of the model's. */
class TransformOptionsTest {
  private static final Preprocess OTHER =
      new Preprocess(
          19,
          16,
          Interpolation.BILINEAR,
          CropMode.CENTER,
          new float[] {0.1f, 0.2f, 0.3f},
          new float[] {0.4f, 0.5f, 0.6f});

  private static final List<Object> OPTIONS =
      List.of(
          "--resize",
          19,
          "--interpolation",
          "bilinear",
          "--mean",
          "0.1,0.2,0.3",
          "--std",
          "0.4, 0.5,0.6");

  @TempDir static Path folder;

  private static Path checkpoint;

  /** The same integers with {@link #OTHER} in the file. */
  private static Path other;

  private static Path weights;
  private static Path pictures;

  @BeforeAll
  static void write() throws IOException {
    checkpoint = MicroModel.checkpoint(folder.resolve("micro.ivit.safetensors"));
    IntegerCheckpoint own = CheckpointFile.read(checkpoint);
    other = folder.resolve("other.ivit.safetensors");
    CheckpointFile.write(
        other, new IntegerCheckpoint(own.graph(), OTHER, own.classes(), own.provenance()));
    weights = MicroModel.weights(folder.resolve("micro.safetensors"));
    pictures = MicroModel.pictures(folder.resolve("pictures"), MicroModel.CLASSES, 20);
  }

  private static Object[] with(List<?> command, Object... more) {
    return Stream.concat(command.stream(), Stream.of(more)).toArray();
  }

  private static Object[] with(List<?> command, List<?> options) {
    return with(command, options.toArray());
  }

  private static JsonNode json(Path file) throws IOException {
    return new ObjectMapper().readTree(file.toFile());
  }

  @Test
  void predictAnswersAsAModelThatHasThatTransform() throws IOException {
    Path picture = pictures.resolve("ant/0.png");
    Path expected = folder.resolve("expected.json");
    Path found = folder.resolve("found.json");
    Path plain = folder.resolve("plain.json");
    done("predict", "--model", other, "--json", expected, picture);
    done(with(List.of("predict", "--model", checkpoint, "--json", found, picture), OPTIONS));
    done("predict", "--model", checkpoint, "--json", plain, picture);
    assertThat(json(found).get("pictures")).isEqualTo(json(expected).get("pictures"));
    assertThat(json(found).get("pictures")).isNotEqualTo(json(plain).get("pictures"));
  }

  @Test
  void evaluateTakesItForBothModels() throws IOException {
    Path expected = folder.resolve("expected.safetensors");
    Path found = folder.resolve("found.safetensors");
    Path report = folder.resolve("report.json");
    done("evaluate", "--model", other, "--data", pictures, "--logits", expected);
    List<Object> command =
        List.of("evaluate", "--model", checkpoint, "--data", pictures, "--logits", found);
    String said =
        done(
            with(
                Stream.of(with(command, OPTIONS)).toList(),
                "--json",
                report,
                "--against",
                weights,
                "--architecture",
                MicroModel.DESCRIPTION));
    assertThat(said).doesNotContain("prepared in two ways");
    assertThat(Safetensors.read(found).get("logits").ints())
        .isEqualTo(Safetensors.read(expected).get("logits").ints());
    assertThat(Preprocess.fromJson(json(report).get("preprocess"))).isEqualTo(OTHER);
    assertThat(Preprocess.fromJson(json(report).at("/against/preprocess"))).isEqualTo(OTHER);
  }

  @Test
  void quantizeCalibratesWithItAndWritesItDown() {
    Path output = folder.resolve("quantized.ivit.safetensors");
    List<Object> command =
        List.of(
            "quantize",
            "--weights",
            weights,
            "--architecture",
            MicroModel.DESCRIPTION,
            "--data",
            pictures,
            "--output",
            output);
    done(with(command, OPTIONS));
    assertThat(CheckpointFile.read(output).preprocess()).isEqualTo(OTHER);
    float scale = CheckpointFile.read(output).graph().inputScale();
    done(command.toArray());
    assertThat(CheckpointFile.read(output).graph().inputScale()).isNotEqualTo(scale);
    done(with(command, "--crop-mode", "squash"));
    Preprocess squashed = CheckpointFile.read(output).preprocess();
    assertThat(squashed.cropMode()).isEqualTo(CropMode.SQUASH);
    assertThat(squashed.resize()).isEqualTo(squashed.crop());
  }

  @Test
  void exportWritesIt() throws IOException {
    Path onnx = folder.resolve("micro.onnx");
    done(
        with(
            List.of("export", "--format", "onnx-integer", "--model", checkpoint, "--output", onnx),
            OPTIONS));
    Path expected = folder.resolve("other.onnx");
    done("export", "--format", "onnx-integer", "--model", other, "--output", expected);
    assertThat(onnx).hasSameBinaryContentAs(expected);

    Path published = MicroModel.published(folder.resolve("published.safetensors"));
    Path output = folder.resolve("published.ivit.safetensors");
    done(
        with(
            List.of(
                "export",
                "--published-checkpoint",
                published,
                "--architecture",
                MicroModel.DESCRIPTION,
                "--output",
                output),
            OPTIONS));
    assertThat(CheckpointFile.read(output).preprocess()).isEqualTo(OTHER);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--resize | 0 | --resize: found '0', expected pixels, such as 248 or 248x320",
        "--resize | 24x | --resize: found '24x', expected pixels, such as 248 or 248x320",
        "--crop-mode | border | --crop-mode: 'border', expected one of center, squash",
        "--interpolation | lanczos | --interpolation: 'lanczos', expected one of bicubic, bilinear",
        "--mean | 0.5,0.5 | --mean: found '0.5,0.5', expected three numbers from -100.0 to 100",
        "--mean | 1,NaN,1 | --mean: found '1,NaN,1', expected three numbers from -100.0 to 100",
        "--std | 1,0,1 | --std: found '1,0,1', expected three numbers from 1.0E-6 to 100",
      })
  void refused(String option, String value, String message) {
    Commands.Outcome outcome =
        run("predict", "--model", checkpoint, option, value, pictures.resolve("ant/0.png"));
    assertThat(outcome.code()).isEqualTo(2);
    assertThat(outcome.err()).hasLineCount(1).contains(message);
  }
}
