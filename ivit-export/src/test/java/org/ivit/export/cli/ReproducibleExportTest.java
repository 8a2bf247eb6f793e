package org.ivit.export.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import org.ivit.core.checkpoint.CheckpointFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code SOURCE_DATE_EPOCH} stands for the date, so that the same model gives the same bytes. */
class ReproducibleExportTest {
  @TempDir Path folder;

  private ChildJvm.Outcome export(Path output, String seconds) throws Exception {
    Path published = MicroModel.published(folder.resolve("checkpoint.pth.tar"));
    return ChildJvm.run(
        Map.of("SOURCE_DATE_EPOCH", seconds),
        "export",
        "--published-checkpoint",
        published,
        "--architecture",
        MicroModel.DESCRIPTION,
        "--output",
        output);
  }

  private ChildJvm.Outcome onnx(Path output, String seconds) throws Exception {
    Path weights = MicroModel.weights(folder.resolve("micro.safetensors"));
    return ChildJvm.run(
        Map.of("SOURCE_DATE_EPOCH", seconds),
        "export",
        "--format",
        "onnx",
        "--model",
        weights,
        "--architecture",
        MicroModel.DESCRIPTION,
        "--output",
        output);
  }

  @Test
  void theSameDateGivesTheSameBytes() throws Exception {
    Path first = folder.resolve("a.ivit.safetensors");
    Path second = folder.resolve("b.ivit.safetensors");
    Path other = folder.resolve("c.ivit.safetensors");
    assertThat(export(first, "1700000000").code()).isZero();
    assertThat(export(second, "1700000000").code()).isZero();
    assertThat(export(other, "1700000001").code()).isZero();
    assertThat(second).hasSameBinaryContentAs(first);
    assertThat(CheckpointFile.read(first).provenance().date()).isEqualTo("2023-11-14T22:13:20Z");
    assertThat(CheckpointFile.read(other).provenance().date()).isEqualTo("2023-11-14T22:13:21Z");
  }

  @Test
  void alsoInAnOnnxFile() throws Exception {
    Path first = folder.resolve("a.onnx");
    Path second = folder.resolve("b.onnx");
    assertThat(onnx(first, "1700000000").code()).isZero();
    assertThat(onnx(second, "1700000000").code()).isZero();
    assertThat(second).hasSameBinaryContentAs(first);
  }

  @Test
  void aDateThatIsNoneIsRefused() throws Exception {
    Path output = folder.resolve("a.ivit.safetensors");
    ChildJvm.Outcome outcome = export(output, "yesterday");
    assertThat(outcome.code()).isEqualTo(2);
    assertThat(outcome.output().lines())
        .containsExactly(
            "ivit: SOURCE_DATE_EPOCH: found yesterday, expected seconds since 1970, from 0 to"
                + " 253402300799");
    assertThat(output).doesNotExist();
  }
}
