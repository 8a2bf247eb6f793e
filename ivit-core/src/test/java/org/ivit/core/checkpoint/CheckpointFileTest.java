package org.ivit.core.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.SoftmaxForm;
import org.ivit.core.engine.reference.ReferenceEngine;
import org.ivit.core.family.Architectures;
import org.ivit.core.family.Swin;
import org.ivit.core.family.Vit;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.image.Preprocess;
import org.ivit.core.io.AtomicFiles;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.tensor.DType;
import org.ivit.core.tensor.Safetensors;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.tensor.TensorFile;
import org.ivit.core.testing.GoldenModel;
import org.ivit.core.testing.RandomModel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;

class CheckpointFileTest {
  static final List<String> GOLDEN = GoldenModel.NAMES;

  private static final Architecture TINY =
      new Vit("tiny", 4, 2, 4, 2, 2, 6, 3, 1e-6).architecture();
  private static final Architecture TINY_SWIN =
      new Swin("tiny", 8, 2, 2, 4, List.of(2, 1), List.of(2, 4), 3, 1e-5).architecture();
  private static final Provenance PROVENANCE =
      new Provenance(
          "weights.safetensors", "ab".repeat(32), "epochs: 0\n", "2024-05-01T00:00:00Z", "0.1", "");

  @TempDir Path folder;

  private static IntegerCheckpoint checkpoint(IntegerGraph graph) {
    List<String> classes =
        IntStream.range(0, graph.architecture().classes()).mapToObj(i -> "class " + i).toList();
    int image = graph.architecture().image().side();
    return new IntegerCheckpoint(graph, Preprocess.half(image + 3, image), classes, PROVENANCE);
  }

  private static Scheme withOutliers() {
    Map<String, OutlierChannels> outliers = new TreeMap<>();
    outliers.put("blocks.0.norm1", new OutlierChannels(new int[] {1}, 2));
    outliers.put("blocks.1.attn.context", new OutlierChannels(new int[] {0, 3}, 1));
    outliers.put("blocks.1.mlp.fc1", new OutlierChannels(new int[] {5}, 3));
    outliers.put("blocks.1.mlp.act", new OutlierChannels(new int[] {5}, 4));
    outliers.put("norm", new OutlierChannels(new int[] {0}, 1));
    return Scheme.EXACT.withOutliers(outliers);
  }

  private static Scheme swinOutliers() {
    TreeMap<String, OutlierChannels> outliers = new TreeMap<>();
    outliers.put("layers.0.downsample.norm", new OutlierChannels(new int[] {5}, 2));
    return Scheme.EXACT.withOutliers(outliers);
  }

  private void survives(IntegerGraph graph, byte[] codes, int pictures) throws IOException {
    Path file = folder.resolve("model.ivit.safetensors");
    IntegerCheckpoint written = checkpoint(graph);
    String digest = CheckpointFile.write(file, written);
    assertThat(CheckpointFile.bytes(written)).isEqualTo(Files.size(file));
    IntegerCheckpoint read = CheckpointFile.read(file);
    IntegerGraph restored = read.graph();
    assertThat(GraphTensors.of(restored)).isEqualTo(GraphTensors.of(graph));
    assertThat(restored.scales()).isEqualTo(graph.scales());
    assertThat(restored.scheme()).isEqualTo(graph.scheme());
    assertThat(restored.architecture()).isEqualTo(graph.architecture());
    assertThat(read.preprocess()).isEqualTo(written.preprocess());
    assertThat(read.classes()).isEqualTo(written.classes());
    assertThat(read.provenance()).isEqualTo(written.provenance());
    assertThat(Safetensors.read(file).metadata()).containsEntry("sha256", digest);
    try (ReferenceEngine before = new ReferenceEngine(graph);
        ReferenceEngine after = new ReferenceEngine(restored)) {
      assertThat(after.logits(codes, pictures)).isEqualTo(before.logits(codes, pictures));
    }
    Path again = folder.resolve("again.ivit.safetensors");
    CheckpointFile.write(again, read);
    assertThat(again).hasSameBinaryContentAs(file);
  }

  @ParameterizedTest
  @FieldSource("GOLDEN")
  void goldenGraphsSurvive(String name) throws IOException {
    GoldenModel model = new GoldenModel(name);
    IntegerGraph graph = model.graph();
    survives(graph, model.evalCodes(graph), model.pictures());
  }

  @ParameterizedTest
  @CsvSource({
    "ROW,SHIFT,16",
    "ELEMENT,SHIFT,8",
    "EXACT,EXACT,16",
    "EXACT,EXACT,8",
    "EXACT,DEFERRED,8"
  })
  void everyFormSurvives(GeluForm gelu, SoftmaxForm softmax, int bits) throws IOException {
    Scheme scheme = new Scheme(gelu, softmax, bits, new TreeMap<>());
    survives(RandomModel.graph(TINY, scheme, 7), randomCodes(), 2);
  }

  @Test
  void swinsSurvive() throws IOException {
    byte[] codes = new byte[3 * 8 * 8];
    new Random(4).nextBytes(codes);
    survives(RandomModel.graph(TINY_SWIN, swinOutliers(), 7), codes, 1);
  }

  @Test
  void distilledModelsSurvive() throws IOException {
    Architecture distilled = new Vit("tiny", 4, 2, 4, 2, 2, 6, 3, 1e-6, true).architecture();
    survives(RandomModel.graph(distilled, withOutliers(), 7), randomCodes(), 2);
  }

  @Test
  void outliersSurvive() throws IOException {
    survives(RandomModel.graph(TINY, withOutliers(), 8), randomCodes(), 2);
  }

  private static byte[] randomCodes() {
    byte[] codes = new byte[2 * 3 * 4 * 4];
    new Random(3).nextBytes(codes);
    return codes;
  }

  @Test
  void deitTinyIsSmall() throws IOException {
    Architecture vit = Architectures.byName("deit_tiny_patch16_224");
    Path file = folder.resolve("deit.ivit.safetensors");
    CheckpointFile.write(file, checkpoint(RandomModel.graph(vit, Scheme.EXACT, 1)));
    assertThat(Files.size(file)).isLessThan(6_500_000);
    assertThat(CheckpointFile.read(file).graph().architecture()).isEqualTo(vit);
  }

  private byte[] small() throws IOException {
    Path file = folder.resolve("small.ivit.safetensors");
    CheckpointFile.write(file, checkpoint(RandomModel.graph(TINY, withOutliers(), 9)));
    return Files.readAllBytes(file);
  }

  private static String refused(Path file) {
    InputException refusal =
        catchThrowableOfType(InputException.class, () -> CheckpointFile.read(file));
    assertThat(refusal).as("a refusal").isNotNull();
    assertThat(refusal.getMessage())
        .startsWith(file + ": ")
        .doesNotContain("\n")
        .hasSizeLessThan(file.toString().length() + 1200);
    return refusal.getMessage();
  }

  @Test
  void cutAnywhereIsRefused() throws IOException {
    byte[] whole = small();
    Path file = folder.resolve("cut.ivit.safetensors");
    for (int size = 0;
        size < whole.length;
        size += size < 64 || size > whole.length - 64 ? 1 : 37) {
      Files.write(file, Arrays.copyOf(whole, size));
      refused(file);
    }
    Files.write(file, Arrays.copyOf(whole, whole.length + 8));
    refused(file);
  }

  @Test
  void oneFlippedBitAnywhereIsRefused() throws IOException {
    byte[] whole = small();
    Path file = folder.resolve("flipped.ivit.safetensors");
    Random random = new Random(11);
    for (int at = 0; at < whole.length; at += 1 + random.nextInt(30)) {
      byte[] damaged = whole.clone();
      damaged[at] ^= (byte) (1 << random.nextInt(8));
      Files.write(file, damaged);
      refused(file);
    }
    int data = 8 + (int) ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN).getLong();
    for (int at : new int[] {data, whole.length - 1, (data + whole.length) / 2}) {
      byte[] damaged = whole.clone();
      damaged[at] ^= 1;
      Files.write(file, damaged);
      assertThat(refused(file)).contains("damaged or changed: its digest is");
    }
    Files.write(file, whole);
    assertThat(CheckpointFile.read(file).classes()).hasSize(3);
  }

  @Test
  void everyBitOfTheDigestCounts() throws IOException {
    byte[] whole = small();
    Path file = Files.write(folder.resolve("digest.ivit.safetensors"), whole);
    String digest = Safetensors.read(file).metadata().get("sha256");
    int at = new String(whole, StandardCharsets.ISO_8859_1).indexOf(digest);
    for (int bit = 0; bit < 8 * digest.length(); bit++) {
      byte[] damaged = whole.clone();
      damaged[at + bit / 8] ^= (byte) (1 << (bit % 8));
      Files.write(file, damaged);
      refused(file);
    }
  }

  /** A file whose digest is right, so that what lies behind it has to be found. */
  private Path forged(
      Scheme scheme,
      Consumer<Map<String, Tensor>> tensors,
      Consumer<Map<String, String>> metadata) {
    return forged(TINY, scheme, tensors, metadata);
  }

  private Path forged(
      Architecture architecture,
      Scheme scheme,
      Consumer<Map<String, Tensor>> tensors,
      Consumer<Map<String, String>> metadata) {
    IntegerCheckpoint good = checkpoint(RandomModel.graph(architecture, scheme, 9));
    Map<String, Tensor> forgedTensors = new LinkedHashMap<>(GraphTensors.of(good.graph()));
    Map<String, String> forgedMetadata = new LinkedHashMap<>(CheckpointFile.metadata(good));
    tensors.accept(forgedTensors);
    metadata.accept(forgedMetadata);
    Path file = folder.resolve("forged.ivit.safetensors");
    AtomicFiles.write(file, out -> FileDigest.write(out, forgedTensors, forgedMetadata));
    return file;
  }

  private String refusedTensors(Consumer<Map<String, Tensor>> change) {
    return refused(forged(withOutliers(), change, metadata -> {}));
  }

  private String refusedMetadata(Consumer<Map<String, String>> change) {
    return refused(forged(withOutliers(), tensors -> {}, change));
  }

  private static Consumer<Map<String, Tensor>> ints(String name, int index, int value) {
    return tensors -> {
      Tensor tensor = tensors.get(name);
      int[] values = tensor.ints();
      values[index] = value;
      if (tensor.dtype() == DType.U8) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
          bytes[i] = (byte) values[i];
        }
        tensors.put(name, Tensor.ofUnsigned(bytes, tensor.shape()));
      } else {
        tensors.put(name, Tensor.of(values, tensor.shape()));
      }
    };
  }

  @Test
  void aForgedFileWithoutChangeIsRead() {
    Path file = forged(withOutliers(), tensors -> {}, metadata -> {});
    assertThat(CheckpointFile.read(file).provenance()).isEqualTo(PROVENANCE);
  }

  @Test
  void namesDTypesAndShapes() {
    assertThat(
            refusedTensors(
                tensors -> {
                  tensors.remove("blocks.0.attn.qkv.bias");
                  tensors.put("blocks.0.attn.qkv.bais", Tensor.of(new int[12], 12));
                  tensors.put("head.bias", Tensor.of(new long[3], 3));
                  tensors.put("norm.shift", Tensor.ofUnsigned(new byte[] {1, 2}, 2));
                }))
        .contains(
            "1 missing: blocks.0.attn.qkv.bias; 1 unexpected: blocks.0.attn.qkv.bais; 2 wrong: ",
            "norm.shift is U8 [2], expected U8 [1]",
            "head.bias is I64 [3], expected I32 [3]");
    assertThat(refusedTensors(tensors -> tensors.remove("blocks.1.mlp.act.outlier_table")))
        .contains("1 missing: blocks.1.mlp.act.outlier_table");
    assertThat(
            refusedTensors(
                t -> t.put("blocks.0.mlp.act.outlier_table", Tensor.of(new byte[256], 256))))
        .contains("1 unexpected: blocks.0.mlp.act.outlier_table");
  }

  @ParameterizedTest
  @CsvSource({
    "blocks.0.attn.qkv.shift, 0, 0, 'blocks.0.attn.qkv.shift: dyadic multiplier'",
    "blocks.0.attn.qkv.shift, 11, 63, 'in channel 11'",
    "head.shift, 2, 200, 'tensors head.multiplier and head.shift'",
    "head.multiplier, 0, -1, 'tensors head.multiplier and head.shift'",
    "blocks.1.residual2.multiplier, 1, -2147483648, 'blocks.1.residual2.multiplier'",
    "embed.shift, 1, 64, 'embed.shift'",
    "blocks.0.attn.scores.shift, 0, 0, 'blocks.0.attn.scores.shift'",
    "blocks.1.attn.context.multiplier, 3, -5, 'blocks.1.attn.context.multiplier'",
    "norm.shift, 0, 0, 'norm.shift: LayerNorm: shift 0'",
    "norm.shift, 0, 63, 'norm.shift: LayerNorm: shift 63'",
    "blocks.0.norm1.multiplier, 2, -2147483648, 'blocks.0.norm1.multiplier'",
    "blocks.0.attn.softmax.exponentials, 0, 0, 'blocks.0.attn.softmax.exponentials: softmax'",
    "blocks.0.attn.softmax.exponentials, 256, -1, 'blocks.0.attn.softmax.exponentials: softmax'",
    "blocks.0.attn.softmax.exponentials, 0, 2000000000, 'blocks.0.attn.softmax: refused'",
    "blocks.0.attn.softmax.rounding, 0, 1, 'blocks.0.attn.softmax.rounding: 1, expected 32768'",
    "blocks.0.mlp.fc1.bias, 4, 2147483647, 'blocks.0.mlp.fc1, channel 4: refused'",
    "head.bias, 0, -2147483648, 'head, channel 0: refused'",
    "head.shift, 0, 1, 'head, class 0: refused'",
  })
  void rangesOfConstantsAndBounds(String name, int index, int value, String message) {
    assertThat(refusedTensors(ints(name, index, value))).contains(message);
  }

  private String refusedSwin(
      Consumer<Map<String, Tensor>> tensors, Consumer<Map<String, String>> metadata) {
    return refused(forged(TINY_SWIN, swinOutliers(), tensors, metadata));
  }

  @ParameterizedTest
  @CsvSource({
    "layers.0.blocks.1.attn.biased.shift, 1, 0, 'layers.0.blocks.1.attn.biased.shift'",
    "layers.0.blocks.1.attn.biased.shift, 0, 1, 'layers.0.blocks.1.attn.biased: refused'",
    "layers.0.downsample.reduction.shift, 3, 63, 'layers.0.downsample.reduction.shift'",
    "layers.0.downsample.reduction.bias, 3, 2147483647, 'reduction, channel 3: refused'",
    "patch_embed.norm.shift, 0, 0, 'patch_embed.norm.shift: LayerNorm: shift 0'",
    "pool.multiplier, 0, -1, 'pool.multiplier'",
  })
  void rangesOfASwinsConstantsAndBounds(String name, int index, int value, String message) {
    assertThat(refusedSwin(ints(name, index, value), metadata -> {})).contains(message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"window\":2      | \"window\":4     | relative_position_bias_table is I8 [9, 2], expected",
        "\"layers.1.blocks.0\", | \"layers.1.blocks.1\", | no scale of node layers.1.blocks.1",
        "\"part\":\"merging\" | \"part\":\"block\" | architecture: parts[3]",
        "\"resolution\":4,\"dim\" | \"resolution\":2,\"dim\" | takes 4 tokens of 4 channels, but gets 16",
        "\"shift\":1       | \"shift\":2      | shift 2 in a window of 2",
        "\"heads\":4       | \"heads\":2      | relative_position_bias_table",
        "\"heads\":4       | \"heads\":3      | multiple of heads",
        "\"pooled\":true   | \"pooled\":false | reads single tokens of windows",
        "\"layers.0.downsample.norm\":{\"ch | \"norm\":{\"ch | feeds the pool",
      })
  void metadataOfASwin(String what, String by, String message) {
    assertThat(refusedSwin(tensors -> {}, replace("graph", what, by))).contains(message);
  }

  @Test
  void offsetsOfANorm() {
    assertThat(
            refusedTensors(
                tensors ->
                    tensors.put("norm.offset", Tensor.of(new long[] {0, 1L << 61, 0, 0}, 4))))
        .contains("norm.offset", "LayerNorm");
  }

  @Test
  void constantsOfRowMustFollowFromTheirScale() {
    Scheme row = Scheme.of(GeluForm.ROW, SoftmaxForm.SHIFT);
    for (int index : new int[] {0, 1}) {
      assertThat(refused(forged(row, ints("blocks.0.mlp.act.x0_n", index, -3), m -> {})))
          .contains("tensor blocks.0.mlp.act.x0_n", "expected [");
    }
    for (float scale : new float[] {0, -1, Float.NaN, Float.POSITIVE_INFINITY, 1e-20f}) {
      assertThat(
              refused(
                  forged(
                      row,
                      tensors ->
                          tensors.put(
                              "blocks.0.mlp.act.sigmoid_scale", Tensor.of(new float[] {scale}, 1)),
                      m -> {})))
          .contains("tensor blocks.0.mlp.act.sigmoid_scale");
    }
  }

  private static Consumer<Map<String, String>> replace(String key, String what, String by) {
    return metadata ->
        metadata.compute(
            key,
            (name, text) -> {
              assertThat(text).contains(what);
              return text.replaceFirst(Pattern.quote(what), by);
            });
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "format     | ivit              | ivti              | not an integer checkpoint",
        "version    | 2                 | 4                 | checkpoint version is 4, expected 1 or 2 or 3",
        "graph      | {                 | [                 | metadata graph",
        "graph      | \"blocks.1\",     | \"blocks.2\",     | unknown node",
        "graph      | \"blocks.1\",     | \"blocks.0\",     | two parameters blocks.0",
        "graph      | \"part\":\"block\" | \"part\":\"head\" | architecture: ",
        "graph      | \"part\":\"head\" | \"part\":\"tail\" | tail",
        "graph      | \"part\":\"stem\" | \"trap\":\"stem\" | part",
        "graph      | \"dim\":4         | \"dim\":8         | takes 5 tokens of 4 channels, but gets 5 of 8",
        "graph      | \"dim\":4         | \"dim\":null      | parts[0].dim",
        "graph      | \"dim\":4         | \"dim\":4.0       | parts[0].dim",
        "graph      | \"dim\":4         | \"mid\":4         | parts[0].dim",
        "graph      | \"patch\":2       | \"patch\":1       | takes 5 tokens",
        "graph      | \"hidden\":6      | \"hidden\":7      | wrong: ",
        "graph      | \"hidden\":6      | \"hidden\":-1     | hidden is -1",
        "graph      | \"heads\":2       | \"heads\":3       | multiple of heads",
        "graph      | \"count\":1       | \"count\":0       | cls_token is 0",
        "graph      | \"pooled\":false  | \"pooled\":true   | feeds the pool",
        "graph      | \"normed\":false  | \"normed\":true   | leading tokens and a norm",
        "graph      | \"classifiers\":[\"head\"] | \"classifiers\":[] | a feature of 3 channels, expected 4",
        "graph      | \"family\":\"vit\" | \"family\":null  | architecture: ",
        "graph      | \"gelu\":\"exact\" | \"gelu\":\"row\" | outlier channels",
        "graph      | \"gelu\":\"exact\" | \"gelu\":7       | metadata graph",
        "graph      | \"softmax\":\"exact\" | \"softmax\":\"soft\" | softmax form",
        "graph      | \"softmax\":\"exact\" | \"softmax\":\"shift\" | rounding",
        "graph      | \"attention_bits\":16 | \"attention_bits\":8  | rounding",
        "graph      | \"attention_bits\":16 | \"attention_bits\":9  | attention bits",
        "graph      | \"attention_bits\":16 | \"attention_bits\":16.5 | metadata graph",
        "graph      | \"attention_bits\":16 | \"bits\":16       | metadata graph",
        "graph      | \"channels\":[5]  | \"channels\":[6]  | outlier channel",
        "graph      | \"channels\":[5]  | \"channels\":[5,5] | outlier channels",
        "graph      | \"channels\":[5]  | \"channels\":[-1] | outlier channels",
        "graph      | \"channels\":[5]  | \"channels\":[null] | metadata graph",
        "graph      | \"channels\":[5]  | \"channels\":null | metadata graph",
        "graph      | \"shift\":2       | \"shift\":24      | outlier channels",
        "graph      | \"shift\":2       | \"shift\":23      | blocks.0.attn.qkv, channel",
        "graph      | \"blocks.0.norm1\":{\"ch | \"blocks.9.norm1\":{\"ch | unknown node",
        "graph      | \"hex\":\"0x      | \"hex\":\"-0x     | twice",
        "graph      | \"hex\":\"0x      | \"hex\":\"what    | hexadecimal",
        "graph      | \"head\":{\"hex\" | \"haed\":{\"hex\" | no scale of node head",
        "preprocess | \"crop\":4        | \"crop\":5        | crop is 5",
        "preprocess | \"crop\":4        | \"corp\":4        | corp",
        "preprocess | bicubic           | cubic             | cubic",
        "preprocess | {                 | null              | metadata preprocess",
        "classes    | \"class 0\",      | ''                | 2 names",
        "classes    | \"class 0\"       | null              | metadata classes",
        "classes    | \"class 0\"       | 7                 | metadata classes",
        "classes    | [                 | {                 | metadata classes",
        "provenance | abab              | ABAB              | source_sha256",
        "provenance | \"recipe\"        | \"repice\"        | metadata provenance",
        "provenance | \"recipe\":\"epochs: 0\\n\" | \"recipe\":null | metadata provenance",
      })
  void metadata(String key, String what, String by, String message) {
    assertThat(refusedMetadata(replace(key, what, by))).contains(message);
  }

  @ParameterizedTest
  @ValueSource(strings = {"graph", "preprocess", "classes", "provenance"})
  void metadataKeysAreAllNeeded(String key) {
    assertThat(refusedMetadata(metadata -> metadata.remove(key))).contains("missing [" + key + "]");
    assertThat(refusedMetadata(metadata -> metadata.put(key, "null")))
        .contains(key + ": found null");
    assertThat(refusedMetadata(metadata -> metadata.put(key, ""))).contains("metadata " + key);
    assertThat(refusedMetadata(metadata -> metadata.put(key + "2", "")))
        .contains("unexpected [" + key + "2]");
  }

  @Test
  void aFileOfFloatsIsNoCheckpoint() {
    Path file = folder.resolve("floats.safetensors");
    Safetensors.write(file, Map.of("w", Tensor.of(new float[1], 1)), Map.of("format", "pt"));
    assertThat(refused(file)).contains("not an integer checkpoint: metadata format is pt");
    Safetensors.write(file, Map.of("w", Tensor.of(new float[1], 1)), Map.of());
    assertThat(refused(file)).contains("metadata format is missing");
    assertThat(CheckpointFile.isCheckpoint(Safetensors.read(file).metadata())).isFalse();
  }

  @Test
  void theDigestMayStandInTheHeaderOnce() {
    Path file = forged(withOutliers(), tensors -> {}, metadata -> {});
    TensorFile read = Safetensors.read(file);
    String digest = read.metadata().get("sha256");
    Map<String, String> metadata = new LinkedHashMap<>(read.metadata());
    metadata.compute("provenance", (key, text) -> text.replace("ab".repeat(32), digest));
    Safetensors.write(file, read.tensors(), metadata);
    assertThat(refused(file)).contains("not exactly once");
  }
}
