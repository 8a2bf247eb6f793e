package org.ivit.export.features;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.ivit.core.InputException;
import org.ivit.core.tensor.Safetensors;
import org.ivit.core.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FeatureFormatTest {
  private static final int[] CODES = {Integer.MIN_VALUE, -1, 0, 1, 2, Integer.MAX_VALUE};

  @TempDir Path folder;

  private static FeatureSpool codes(Path target) {
    FeatureSpool spool = new FeatureSpool(target);
    spool.add(Features.ofCodes(new int[] {CODES[0], CODES[1], CODES[2]}, 0.3f, 3), List.of("ä/1"));
    spool.add(Features.ofCodes(new int[] {CODES[3], CODES[4], CODES[5]}, 0.3f, 3), List.of("b\n"));
    return spool;
  }

  private List<String> files() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(f -> f.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void safetensorsAreReadBack() throws IOException {
    Path file = folder.resolve("e.safetensors");
    try (FeatureSpool spool = codes(file)) {
      FeatureFormat.of(file).write(file, spool, Map.of("model_sha256", "12"));
      assertThat(spool.row(1).codes()).containsExactly(1, 2, Integer.MAX_VALUE);
    }
    assertThat(files()).containsExactly("e.safetensors");
    FeatureFile read = FeatureFile.read(file);
    assertThat(read.features().codes()).containsExactly(CODES);
    assertThat(read.features().width()).isEqualTo(3);
    assertThat(read.features().scale()).isEqualTo(0.3f);
    assertThat(read.names()).containsExactly("ä/1", "b\n");
    assertThat(read.metadata()).containsEntry("model_sha256", "12");
  }

  @Test
  void valuesHaveNoScale() throws IOException {
    Path file = folder.resolve("e.safetensors");
    try (FeatureSpool spool = new FeatureSpool(file)) {
      spool.add(Features.ofCodes(new int[] {3, -4}, 0.5f, 2).real(), List.of("a"));
      FeatureFormat.of(file).write(file, spool, Map.of());
    }
    FeatureFile read = FeatureFile.read(file);
    assertThat(read.features().values()).containsExactly(1.5f, -2);
    assertThat(read.metadata()).containsOnlyKeys("files");
  }

  @Test
  void numPyHasItsNamesBeside() throws IOException {
    Path file = folder.resolve("e.npy");
    try (FeatureSpool spool = codes(file)) {
      FeatureFormat.of(file).write(file, spool, Map.of("model", "m"));
    }
    assertThat(files()).containsExactly("e.npy", "e.npy.json");
    byte[] bytes = Files.readAllBytes(file);
    assertThat(bytes).hasSize(128 + 24);
    assertThat(new String(bytes, 0, 8, StandardCharsets.ISO_8859_1))
        .isEqualTo("\u0093NUMPY\u0001\u0000");
    ByteBuffer little = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    assertThat(little.getShort(8)).isEqualTo((short) 118);
    assertThat(new String(bytes, 10, 118, StandardCharsets.US_ASCII))
        .startsWith("{'descr': '<i4', 'fortran_order': False, 'shape': (2, 3), }")
        .endsWith(" \n");
    for (int i = 0; i < CODES.length; i++) {
      assertThat(little.getInt(128 + 4 * i)).isEqualTo(CODES[i]);
    }
    JsonNode beside = new ObjectMapper().readTree(folder.resolve("e.npy.json").toFile());
    assertThat(beside.path("model").asText()).isEqualTo("m");
    assertThat(beside.path("scale").asText()).isEqualTo("0.3");
    assertThat(beside.path("files").get(1).asText()).isEqualTo("b\n");
  }

  @Test
  void aFailureLeavesNothing() throws IOException {
    Path file = folder.resolve("e.npy");
    Files.createDirectory(folder.resolve("e.npy.json"));
    try (FeatureSpool spool = codes(file)) {
      assertThatThrownBy(() -> FeatureFormat.NPY.write(file, spool, Map.of()))
          .hasMessageContaining("e.npy");
    }
    assertThat(files()).containsExactly("e.npy.json");
  }

  @Test
  void refusesOtherNamesAndParquetWithoutItsModule() {
    assertThatThrownBy(() -> FeatureFormat.of(folder.resolve("e.csv")))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(".safetensors, .npy or .parquet");
    assertThatThrownBy(() -> FeatureFormat.of(folder.resolve("e.parquet")))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("scripts/ivit-spark");
  }

  private void refused(Tensor tensor, Map<String, String> metadata, String text) {
    Path file = folder.resolve("bad.safetensors");
    Safetensors.write(file, Map.of("features", tensor), metadata);
    assertThatThrownBy(() -> FeatureFile.read(file))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith(file + ": ")
        .hasMessageContaining(text);
  }

  @Test
  void saysWhatIsWrongWithAnIndex() {
    Tensor codes = Tensor.of(new int[2], 1, 2);
    refused(Tensor.of(new int[2], 2), Map.of(), "expected I32 or F32 [pictures, width]");
    refused(codes, Map.of("files", "[\"a\"]"), "metadata scale: found nothing");
    refused(codes, Map.of("scale", "0", "files", "[\"a\"]"), "expected a number above 0");
    refused(codes, Map.of("scale", "1"), "metadata files: found 0 names");
    refused(codes, Map.of("scale", "1", "files", "[\"a\",\"b\"]"), "found 2 names");
    refused(codes, Map.of("scale", "1", "files", "a"), "found no JSON list");
    refused(
        Tensor.of(new float[] {0, Float.POSITIVE_INFINITY}, 1, 2),
        Map.of("files", "[\"a\"]"),
        "element 1 is not finite");
  }
}
