package org.ivit.core.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Answer;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.engine.reference.ReferenceEngine;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.image.Preprocess;
import org.ivit.core.io.AtomicFiles;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.testing.FamilyModels;
import org.ivit.core.testing.ObservedModel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files of models with the parts and options of later families. */
class FamilyCheckpointsTest {
  static final List<String> NAMES = FamilyModels.NAMES;

  private static final int PICTURES = 2;

  @TempDir Path folder;

  static IntegerCheckpoint checkpoint(IntegerGraph graph) {
    Architecture architecture = graph.architecture();
    int classes = architecture.answer() == Answer.CLASSES ? architecture.classes() : 0;
    List<String> names = IntStream.range(0, classes).mapToObj(i -> "class " + i).toList();
    return new IntegerCheckpoint(
        graph,
        Preprocess.half(architecture.image(), architecture.image()),
        names,
        Provenance.UNKNOWN);
  }

  @ParameterizedTest
  @FieldSource("NAMES")
  void everyModelSurvives(String name) {
    for (IntegerGraph graph : FamilyModels.graphs(FamilyModels.architecture(name), 5)) {
      survives(graph);
    }
  }

  private void survives(IntegerGraph graph) {
    Path file = folder.resolve("model.ivit.safetensors");
    CheckpointFile.write(file, checkpoint(graph));
    IntegerCheckpoint read = CheckpointFile.read(file);
    IntegerGraph restored = read.graph();
    assertThat(restored.architecture()).isEqualTo(graph.architecture());
    assertThat(restored.scheme()).isEqualTo(graph.scheme());
    assertThat(restored.scales()).isEqualTo(graph.scales());
    assertThat(restored.logitScale()).isEqualTo(graph.logitScale());
    assertThat(GraphTensors.of(restored)).isEqualTo(GraphTensors.of(graph));
    byte[] codes = new byte[PICTURES * graph.architecture().pixels()];
    new Random(3).nextBytes(codes);
    try (ReferenceEngine before = new ReferenceEngine(graph);
        ReferenceEngine after = new ReferenceEngine(restored)) {
      assertThat(after.logits(codes, PICTURES)).isEqualTo(before.logits(codes, PICTURES));
    }
    Path again = folder.resolve("again.ivit.safetensors");
    CheckpointFile.write(again, read);
    assertThat(again).hasSameBinaryContentAs(file);
  }

  private String refused(
      String name, Consumer<Map<String, Tensor>> tensors, Consumer<Map<String, String>> metadata) {
    Scheme scheme = Scheme.EXACT.withNormEpsilon(true);
    IntegerCheckpoint good =
        checkpoint(ObservedModel.graph(FamilyModels.architecture(name), scheme, new Random(5)));
    Map<String, Tensor> forged = new LinkedHashMap<>(GraphTensors.of(good.graph()));
    Map<String, String> forgedMetadata = new LinkedHashMap<>(CheckpointFile.metadata(good));
    tensors.accept(forged);
    metadata.accept(forgedMetadata);
    Path file = folder.resolve("forged.ivit.safetensors");
    AtomicFiles.write(file, out -> FileDigest.write(out, forged, forgedMetadata));
    InputException refusal =
        catchThrowableOfType(InputException.class, () -> CheckpointFile.read(file));
    assertThat(refusal).as("a refusal").isNotNull();
    assertThat(refusal.getMessage()).startsWith(file + ": ").doesNotContain("\n");
    return refusal.getMessage();
  }

  private String refusedTensors(String name, Consumer<Map<String, Tensor>> change) {
    return refused(name, change, metadata -> {});
  }

  private String refusedGraph(String name, String what, String by) {
    return refused(
        name,
        tensors -> {},
        metadata ->
            metadata.compute(
                "graph",
                (key, text) -> {
                  assertThat(text).contains(what);
                  return text.replaceFirst(Pattern.quote(what), by);
                }));
  }

  @ParameterizedTest
  @CsvSource({
    "clip, norm_pre",
    "clip, blocks.1.norm2",
    "clip, norm",
    "siglip, attn_pool.norm",
    "sbb, fc_norm",
    "dino, norm",
    "swin_wide, patch_embed.norm",
    "swin_wide, layers.0.downsample.norm"
  })
  void epsilonsOutOfRange(String name, String norm) {
    String tensor = norm + ".epsilon";
    for (long epsilon : new long[] {-1, (1L << 60) + 1, Long.MIN_VALUE, Long.MAX_VALUE}) {
      assertThat(refusedTensors(name, t -> t.put(tensor, Tensor.of(new long[] {epsilon}, 1))))
          .contains(norm, "LayerNorm: epsilon " + epsilon + ", expected 0 to 2^60");
    }
    assertThat(refusedTensors(name, t -> t.remove(tensor))).contains("1 missing: " + tensor);
    assertThat(refusedTensors(name, t -> t.put(tensor, Tensor.of(new int[] {1}, 1))))
        .contains(tensor + " is I32 [1], expected I64 [1]");
    assertThat(refusedTensors(name, t -> t.put(tensor, Tensor.of(new long[2], 2))))
        .contains(tensor + " is I64 [2], expected I64 [1]");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "norm.offset",
        "attn_pool.scores.weight",
        "attn_pool.v.bias",
        "attn_pool.softmax.exponentials",
        "attn_pool.softmax.rounding",
        "attn_pool.context.multiplier",
        "attn_pool.proj.shift",
        "attn_pool.norm.multiplier",
        "attn_pool.mlp.fc1.weight",
        "attn_pool.mlp.act.table",
        "attn_pool.mlp.fc2.bias",
        "attn_pool.residual.shift"
      })
  void tensorsOfAnAttentionPoolingThatAreMissing(String tensor) {
    assertThat(refusedTensors("siglip", t -> t.remove(tensor))).contains("1 missing: " + tensor);
  }

  @Test
  void tensorsThatTheModelHasNoUseFor() {
    for (String tensor : List.of("head.weight", "cls_token", "attn_pool.latent", "pool.shift")) {
      assertThat(refusedTensors("siglip", t -> t.put(tensor, Tensor.of(new int[] {1}, 1))))
          .contains("1 unexpected: " + tensor);
    }
    assertThat(refusedTensors("dino", t -> t.put("head.bias", Tensor.of(new int[12], 12))))
        .contains("1 unexpected: head.bias");
  }

  @Test
  void shapesOfTablesAndScores() {
    String table = "blocks.0.attn.relative_position_bias_table";
    assertThat(refusedTensors("beit", t -> t.put(table, Tensor.of(new byte[30], 15, 2))))
        .contains(table + " is I8 [15, 2], expected I8 [18, 2]");
    assertThat(refusedTensors("siglip", t -> t.put("attn_pool.scores.weight", square())))
        .contains("attn_pool.scores.weight is I8 [12, 12], expected I8 [2, 12]");
    assertThat(refusedTensors("sbb", t -> t.put("pos_embed", Tensor.of(new short[72], 6, 12))))
        .contains("pos_embed is I16 [6, 12], expected I16 [10, 12]");
  }

  private static Tensor square() {
    return Tensor.of(new byte[144], 12, 12);
  }

  @ParameterizedTest
  @CsvSource({
    "siglip, attn_pool.scores.bias, 1, 2147483647, 'attn_pool.scores, channel 1: refused'",
    "siglip, attn_pool.softmax.exponentials, 0, 2000000000, 'attn_pool.softmax: refused'",
    "siglip, attn_pool.softmax.exponentials, 256, -1, 'attn_pool.softmax.exponentials'",
    "siglip, attn_pool.softmax.rounding, 0, 1, 'attn_pool.softmax.rounding: 1, expected 32768'",
    "siglip, attn_pool.context.multiplier, 3, -5, 'attn_pool.context.multiplier'",
    "siglip, attn_pool.residual.multiplier, 1, -1, 'attn_pool.residual.multiplier'",
    "mae, pool.multiplier, 0, -1, 'pool.multiplier'",
    "mae, fc_norm.multiplier, 2, -2147483648, 'fc_norm.multiplier'",
    "clip, norm_pre.multiplier, 0, -2147483648, 'norm_pre.multiplier'",
    "clip, head.bias, 0, -2147483648, 'head, channel 0: refused'",
  })
  void rangesOfConstantsAndBounds(
      String name, String tensor, int index, int value, String message) {
    assertThat(
            refusedTensors(
                name,
                tensors -> {
                  int[] values = tensors.get(tensor).ints();
                  values[index] = value;
                  tensors.put(tensor, Tensor.of(values, tensors.get(tensor).shape()));
                }))
        .contains(message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "dino     | \"classes\":12,     | \"classes\":13,      | a feature of 13 channels, expected"
            + " 12",
        "dino     | \"part\":\"norm\",\"name\":\"norm\",\"tokens\":1 |"
            + " \"part\":\"norm\",\"name\":\"norm\",\"tokens\":8 | reads 8 tokens of fewer",
        "dino     | \"part\":\"norm\",\"name\":\"norm\",\"tokens\":1 |"
            + " \"part\":\"norm\",\"name\":\"norm\",\"tokens\":0 | has 0 tokens",
        "clip     | \"projection\":true | \"projection\":false | a projection, expected it with one"
            + " classifier",
        "clip     | \"projection\":true | \"leading\":1        | leaves out leading tokens",
        "clip     | quick_gelu          | slow_gelu            | architecture: parts[2].activation",
        "avg      | \"leading\":1       | \"leading\":7        | 7 leading tokens of 7",
        "avg      | \"leading\":1       | \"leading\":-1       | -1 leading tokens of 7",
        "dinov2_classifier | \"leading\":3 | \"leading\":0       | two classifiers of a mean over all"
            + " tokens",
        "mae      | \"leading\":1,\"dim\" | \"leading\":7,\"dim\" | 7 leading tokens of 7",
        "siglip   | \"part\":\"attentionPooling\",\"tokens\":6 |"
            + " \"part\":\"attentionPooling\",\"tokens\":5 | takes 5 tokens of 12 channels",
        "siglip   | \"tokens\":6,\"dim\":12,\"heads\":2 | \"tokens\":6,\"dim\":12,\"heads\":5 |"
            + " multiple of heads",
        "sbb      | \"normName\":\"fc_norm\" | \"normName\":\"norm\" | no scale of node norm",
        "beit     | \"positions\":\"none\"   | \"positions\":\"some\" | architecture:"
            + " parts[0].positions",
        "beit     | \"leading\":1            | \"leading\":2          | leading tokens, expected 1"
            + " in a window",
        "swin_wide | \"resolution\":[4,16],\"window\" | \"resolution\":[4,12],\"window\"  |"
            + " expected those of its windows",
        "swin_wide | \"image\":[8,32]   | \"image\":[8,32,1]     | expected a number or [height,"
            + " width]",
        "swin_wide | \"resolution\":[4,16],\"window\":4 |"
            + " \"resolution\":[65536,65537],\"window\":[65536,65537] | a resolution of 65536,"
            + " expected at most",
        "beit     | \"resolution\":[2,3],\"window\":[2,3] |"
            + " \"resolution\":[7,1227133514],\"window\":[7,1227133514] | a resolution of"
            + " 1227133514, expected at most",
        "clip     | \"name\":\"norm_pre\" | \"name\":\"head\" | has two parameters head.weight",
        "clip     | \"name\":\"norm_pre\" | \"name\":\"embed\" | graph: 29 scales, expected the 28",
        "clip     | \"name\":\"norm_pre\" | \"name\":\"blocks.0.norm1\" | has two parameters"
            + " blocks.0.norm1.weight",
        "sbb      | \"normName\":\"fc_norm\" | \"normName\":\"pool\" | graph: 29 scales, expected"
            + " the 28",
        "swin_wide | \"image\":[8,32]   | \"image\":[8,2147483647] | image is 2147483647",
        "clip     | \"norm_epsilon\":true    | \"norm_epsilon\":null   | norm_epsilon",
        "clip     | \"norm_epsilon\":true,   | ''                       | norm_pre.epsilon",
      })
  void architectures(String name, String what, String by, String message) {
    assertThat(refusedGraph(name, what, by)).contains(message);
  }

  @Test
  void featuresHaveNoClassNames() {
    String names = "[\"a\",\"b\"]";
    assertThat(refused("dino", t -> {}, metadata -> metadata.put("classes", names)))
        .contains("classes: 2 names, expected none: the model answers features");
    assertThat(refused("clip", t -> {}, metadata -> metadata.put("classes", names)))
        .contains("classes: 2 names, expected none: the model answers features");
    assertThat(refused("sbb", t -> {}, metadata -> metadata.put("classes", "[]")))
        .contains("classes: 0 names, expected one for each of the model's 4 classes");
  }
}
