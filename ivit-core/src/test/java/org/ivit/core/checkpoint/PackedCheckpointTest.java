package org.ivit.core.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.zip.InflaterInputStream;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.engine.reference.ReferenceEngine;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.graph.Linear;
import org.ivit.core.io.AtomicFiles;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.tensor.DType;
import org.ivit.core.tensor.Safetensors;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.tensor.TensorFile;
import org.ivit.core.testing.FamilyModels;
import org.ivit.core.testing.ForgedGraphs;
import org.ivit.core.testing.ObservedModel;
import org.ivit.core.weight.WeightCoding;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.FieldSource;

/** Files of models whose weights have fewer than 8 bits. */
class PackedCheckpointTest {
  static final List<String> NAMES = FamilyModels.NAMES;

  private static final int PICTURES = 2;

  @TempDir Path folder;

  private static IntegerGraph graph(String name, long seed) {
    Architecture architecture = FamilyModels.architecture(name);
    IntegerGraph observed =
        ObservedModel.graph(architecture, Scheme.EXACT.withNormEpsilon(true), new Random(seed));
    return ForgedGraphs.ofFewerBits(seed).of(observed);
  }

  @ParameterizedTest
  @FieldSource("NAMES")
  void everyModelSurvives(String name) {
    for (long seed = 0; seed < 3; seed++) {
      IntegerGraph graph = graph(name, seed);
      Path file = folder.resolve("model.ivit.safetensors");
      CheckpointFile.write(file, FamilyCheckpointsTest.checkpoint(graph));
      assertThat(CheckpointFile.bytes(FamilyCheckpointsTest.checkpoint(graph)))
          .isEqualTo(file.toFile().length());
      assertWeightBytes(graph);
      IntegerCheckpoint read = CheckpointFile.read(file);
      assertThat(GraphTensors.of(read.graph())).isEqualTo(GraphTensors.of(graph));
      byte[] codes = new byte[PICTURES * graph.architecture().pixels()];
      new Random(3).nextBytes(codes);
      try (ReferenceEngine before = new ReferenceEngine(graph);
          ReferenceEngine after = new ReferenceEngine(read.graph())) {
        assertThat(after.logits(codes, PICTURES)).isEqualTo(before.logits(codes, PICTURES));
      }
      Path again = folder.resolve("again.ivit.safetensors");
      CheckpointFile.write(again, read);
      assertThat(again).hasSameBinaryContentAs(file);
    }
  }

  private static void assertWeightBytes(IntegerGraph graph) {
    Map<String, Tensor> tensors = GraphTensors.of(graph);
    for (Linear linear : graph.linears()) {
      long bytes =
          tensors.entrySet().stream()
              .filter(tensor -> tensor.getKey().startsWith(linear.name() + ".weight"))
              .mapToLong(tensor -> tensor.getValue().buffer().remaining())
              .sum();
      assertThat(
              CheckpointFile.weightBytes(linear.outputs(), linear.inputs(), linear.codes().grid()))
          .as(linear.name())
          .isEqualTo(bytes);
    }
  }

  /** A graph with a layer of each coding, and which these are. */
  private Path written(Map<WeightCoding, Linear> layers) {
    for (long seed = 0; ; seed++) {
      IntegerGraph graph = graph("deit3", seed);
      layers.clear();
      for (Linear linear : graph.linears()) {
        if (linear.codes().grid() != null) {
          layers.put(linear.codes().grid().coding(), linear);
        }
      }
      if (layers.size() == WeightCoding.values().length) {
        Path file = folder.resolve("model.ivit.safetensors");
        CheckpointFile.write(file, FamilyCheckpointsTest.checkpoint(graph));
        return file;
      }
    }
  }

  @Test
  void weightsArePlainTensorsAndOtherConstantsAreOne() {
    Map<WeightCoding, Linear> layers = new LinkedHashMap<>();
    TensorFile file = Safetensors.read(written(layers));
    assertThat(file.metadata()).containsEntry("version", "3");
    Linear table = layers.get(WeightCoding.TABLE);
    int bits = table.codes().bits();
    assertThat(file.get(table.name() + ".weight_table").shape())
        .containsExactly(table.outputs(), 1 << bits);
    assertThat(file.get(table.name() + ".weight_indices").shape())
        .containsExactly(table.outputs(), (table.inputs() * bits + 7) / 8);
    Linear group = layers.get(WeightCoding.GROUP);
    assertThat(file.tensors())
        .containsKeys(group.name() + ".weight_multiplier", "constants")
        .doesNotContainKeys(group.name() + ".bias", group.name() + ".weight", "norm.offset");
    assertThat(file.get("constants").dtype()).isEqualTo(DType.U8);
  }

  private String refused(Consumer<Map<String, Tensor>> tensors, Consumer<Map<String, String>> meta)
      throws IOException {
    return refused(written(new LinkedHashMap<>()), tensors, meta);
  }

  private String refused(
      Path file, Consumer<Map<String, Tensor>> tensors, Consumer<Map<String, String>> meta)
      throws IOException {
    TensorFile whole = Safetensors.read(file);
    Map<String, Tensor> changed = new LinkedHashMap<>(whole.tensors());
    Map<String, String> metadata = new LinkedHashMap<>(whole.metadata());
    metadata.remove("sha256");
    tensors.accept(changed);
    meta.accept(metadata);
    Path bad = folder.resolve("bad.ivit.safetensors");
    AtomicFiles.write(bad, stream -> FileDigest.write(stream, changed, metadata));
    InputException refusal =
        catchThrowableOfType(InputException.class, () -> CheckpointFile.read(bad));
    assertThat(refusal).as("a refusal").isNotNull();
    assertThat(refusal.getMessage()).startsWith(bad + ": ").doesNotContain("\n");
    Files.delete(bad);
    return refusal.getMessage();
  }

  private static void change(Map<String, Tensor> tensors, String name, Consumer<byte[]> change) {
    Tensor tensor = tensors.get(name);
    byte[] bytes = tensor.bytes();
    change.accept(bytes);
    tensors.put(
        name,
        tensor.dtype() == DType.U8
            ? Tensor.ofUnsigned(bytes, tensor.shape())
            : Tensor.of(bytes, tensor.shape()));
  }

  @Test
  void tablesMustRise() throws IOException {
    Map<WeightCoding, Linear> layers = new LinkedHashMap<>();
    Path file = written(layers);
    String table = layers.get(WeightCoding.TABLE).name() + ".weight_table";
    assertThat(
            refused(
                file,
                tensors ->
                    change(
                        tensors,
                        table,
                        bytes -> {
                          bytes[0] = 127;
                          bytes[1] = -128;
                        }),
                meta -> {}))
        .contains("tensor " + table + ": weight table: channel 0: code 1 is -128");
  }

  @Test
  void multipliersMustNotBeZero() throws IOException {
    Map<WeightCoding, Linear> layers = new LinkedHashMap<>();
    Path file = written(layers);
    String multiplier = layers.get(WeightCoding.GROUP).name() + ".weight_multiplier";
    assertThat(
            refused(
                file,
                tensors -> change(tensors, multiplier, bytes -> Arrays.fill(bytes, (byte) 0)),
                meta -> {}))
        .contains("tensor " + multiplier + ": weight groups: channel 0: multiplier 0 is 0");
  }

  @Test
  void constantsMustBeThoseOfTheArchitecture() throws IOException {
    assertThat(refused(tensors -> tensors.remove("constants"), meta -> {}))
        .contains("tensor constants: missing");
    assertThat(refused(tensors -> tensors.put("constants", Tensor.of(new byte[9], 9)), meta -> {}))
        .contains("tensor constants: is");
    assertThat(
            refused(
                tensors -> change(tensors, "constants", bytes -> Arrays.fill(bytes, (byte) 7)),
                meta -> {}))
        .contains("tensor constants: is not in zlib's format");
    assertThat(
            refused(
                tensors -> tensors.put("norm.shift", Tensor.ofUnsigned(new byte[1], 1)), m -> {}))
        .contains("tensor norm.shift: unexpected beside constants");
  }

  @ParameterizedTest
  @CsvSource({
    "-8, tensor constants: ends after",
    "-1, tensor constants: ends after",
    "1, tensor constants: has more than the",
    "100000000, tensor constants: has more than the"
  })
  void constantsMustHaveTheirSize(int more, String message) throws IOException {
    assertThat(
            refused(
                tensors -> {
                  int size = inflated(tensors.get("constants").bytes()).length;
                  byte[] other = deflated(new byte[size + more]);
                  tensors.put("constants", Tensor.ofUnsigned(other, other.length));
                },
                meta -> {}))
        .contains(message);
  }

  @Test
  void nothingMayFollowTheConstants() throws IOException {
    assertThat(
            refused(
                tensors -> {
                  byte[] bytes = tensors.get("constants").bytes();
                  byte[] longer = Arrays.copyOf(bytes, bytes.length + 3);
                  tensors.put("constants", Tensor.ofUnsigned(longer, longer.length));
                },
                meta -> {}))
        .contains("tensor constants: found 3 bytes behind its end");
  }

  private static byte[] deflated(byte[] bytes) {
    return PackedConstants.pack(Map.of("norm.shift", Tensor.ofUnsigned(bytes, bytes.length)))
        .get("constants")
        .bytes();
  }

  private static byte[] inflated(byte[] bytes) {
    try (InflaterInputStream in = new InflaterInputStream(new ByteArrayInputStream(bytes))) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "'\"bits\":[4-6]', '\"bits\":8', weight bits: found 8",
    "'\"codes\":\"uniform\"', '\"codes\":\"log\"', weight codes 'log': unknown",
    "'\"codes\":\"uniform\",\"size\":0', '\"codes\":\"uniform\",\"size\":32', found size 32 and shift 0",
    "'\"size\":32', '\"size\":0', in groups of 0",
    "'\"size\":32', '\"size\":2147483647', in groups of 2147483647",
    "'\"codes\":\"group\",\"size\":32,\"shift\":[0-7]', '\"codes\":\"group\",\"size\":32,\"shift\":31', found shift 31",
    "'\"weights\":\\{\"[^\"]*\"', '\"weights\":{\"blocks.9.mlp.fc1\"', expected a linear layer",
  })
  void descriptionsMustFit(String pattern, String text, String message) throws IOException {
    assertThat(
            refused(
                tensors -> {},
                meta ->
                    meta.computeIfPresent(
                        "graph",
                        (key, json) -> {
                          String changed =
                              json.replaceFirst(pattern, Matcher.quoteReplacement(text));
                          assertThat(changed).isNotEqualTo(json);
                          return changed;
                        })))
        .contains(message);
  }

  @Test
  void aFileIsOfTheVersionThatItSays() throws IOException {
    assertThat(refused(tensors -> {}, meta -> meta.put("version", "2")))
        .contains("1 unexpected: constants");
  }

  @Test
  void noFlippedBitIsAccepted() throws IOException {
    Path file = written(new LinkedHashMap<>());
    byte[] whole = Files.readAllBytes(file);
    Random random = new Random(2);
    Path bad = folder.resolve("bad.ivit.safetensors");
    for (int at = 0; at < whole.length; at += 1 + random.nextInt(60)) {
      byte[] damaged = whole.clone();
      damaged[at] ^= (byte) (1 << random.nextInt(8));
      Files.write(bad, damaged);
      assertThat(catchThrowableOfType(InputException.class, () -> CheckpointFile.read(bad)))
          .as("byte %d of %s", at, new String(whole, 8, 20, StandardCharsets.US_ASCII))
          .isNotNull();
    }
  }
}
