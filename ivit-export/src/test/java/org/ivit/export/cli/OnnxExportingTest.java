package org.ivit.export.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.checkpoint.CheckpointFile;
import org.ivit.core.checkpoint.IntegerCheckpoint;
import org.ivit.core.checkpoint.Provenance;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.image.Preprocess;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.testing.FamilyModels;
import org.ivit.core.testing.ObservedModel;
import org.ivit.core.testing.Shared;
import org.ivit.export.evaluate.ModelReading;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Files of models that answer features. */
class OnnxExportingTest {
  @TempDir Path folder;

  private static OnnxExporting exporting(Path model, Path classes) {
    return OnnxExporting.of(null, model, ModelReading.UNSAID, classes, "BEST", "AUTO", "unsigned");
  }

  private Path checkpoint() {
    Architecture architecture = FamilyModels.architecture("siglip");
    IntegerGraph graph = ObservedModel.graph(architecture, Scheme.EXACT, new Random(2));
    Preprocess preprocess = Preprocess.half(architecture.image(), architecture.image());
    Path file = folder.resolve("siglip.ivit.safetensors");
    CheckpointFile.write(
        file, new IntegerCheckpoint(graph, preprocess, List.of(), Provenance.UNKNOWN));
    return file;
  }

  private void writesFeatures(Path model, String format) throws IOException {
    Path output = folder.resolve("model.onnx");
    exporting(model, null).export(format, output);
    try (InputStream in = Files.newInputStream(output)) {
      ModelProto written = ModelProto.parseFrom(in);
      assertThat(written.getGraph().getOutput(0).getName()).isEqualTo("features");
      Map<String, String> metadata =
          written.getMetadataPropsList().stream()
              .collect(
                  Collectors.toMap(
                      StringStringEntryProto::getKey, StringStringEntryProto::getValue));
      assertThat(metadata)
          .containsEntry("answer", "features")
          .containsEntry("classes", "[]")
          .containsEntry("format", format);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"onnx-qdq", "onnx-integer"})
  void ofACheckpoint(String format) throws IOException {
    writesFeatures(checkpoint(), format);
  }

  @Test
  void ofAFolder() throws IOException {
    writesFeatures(Shared.path("golden/families/dinov2_reg4"), "onnx");
  }

  @Test
  void featuresHaveNoClassNames() throws IOException {
    Path names = Files.writeString(folder.resolve("names.txt"), "a\nb\n");
    Path output = folder.resolve("model.onnx");
    OnnxExporting exporting = exporting(checkpoint(), names);
    assertThatThrownBy(() -> exporting.export("onnx-integer", output))
        .isInstanceOf(InputException.class)
        .hasMessage("--classes: found " + names + ", expected none: the model answers features");
    assertThat(output).doesNotExist();
  }
}
