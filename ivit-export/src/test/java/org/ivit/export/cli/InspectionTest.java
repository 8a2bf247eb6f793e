package org.ivit.export.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.ivit.core.architecture.Answer;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.checkpoint.CheckpointFile;
import org.ivit.core.checkpoint.IntegerCheckpoint;
import org.ivit.core.checkpoint.Provenance;
import org.ivit.core.family.Architectures;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.graph.Linear;
import org.ivit.core.image.Preprocess;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.tensor.Safetensors;
import org.ivit.core.testing.FamilyModels;
import org.ivit.core.testing.ObservedModel;
import org.ivit.core.weight.UniformGrid;
import org.ivit.core.weight.WeightCodes;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class InspectionTest {
  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "dino | hidden 20, features 12, cls_token 1, norm norm",
        "dinov2_reg | features 12, cls_token 1, reg_token 4, positions patches, norm norm",
        "clip | features 7, cls_token 1, norm norm_pre, activation quick_gelu, projection",
        "siglip | features 12, activation gelu_tanh, attention pooling of 6 tokens",
        "avg | features 12, cls_token 1, mean over 6 tokens",
        "mae | features 12, cls_token 1, mean over 6 tokens, norm fc_norm",
        "sbb | classes 4, reg_token 4, positions patches, mean over 6 tokens, norm fc_norm",
        "beit | classes 4, cls_token 1, positions none, relative positions, mean over 6 tokens",
        "swin_headless | window 4, width 8, depths [2, 2], heads [2, 4], features 16",
        "swin_wide | picture 8x32, patch 2, window 4, window 2x4, width 8",
      })
  void sizesAndOptions(String name, String part) {
    assertThat(ArchitectureSummary.of(FamilyModels.architecture(name))).contains(part);
  }

  @Test
  void whatMostModelsHaveInCommonIsLeftOut() {
    assertThat(ArchitectureSummary.of(Architectures.byName("deit_tiny_patch16_224")))
        .isEqualTo(
            "picture 224, patch 16, width 192, depth 12, heads 3, hidden 768, classes 1000,"
                + " cls_token 1");
  }

  private String inspected(String name) {
    Architecture architecture = FamilyModels.architecture(name);
    Scheme scheme = Scheme.EXACT.withNormEpsilon(true);
    return inspected(ObservedModel.graph(architecture, scheme, new Random(2)));
  }

  private String inspected(IntegerGraph graph) {
    Architecture architecture = graph.architecture();
    Path file = file(graph);
    Preprocess preprocess = Preprocess.half(architecture.image(), architecture.image());
    int classes = architecture.answer() == Answer.CLASSES ? architecture.classes() : 0;
    List<String> names = IntStream.range(0, classes).mapToObj(i -> "class " + i).toList();
    CheckpointFile.write(file, new IntegerCheckpoint(graph, preprocess, names, Provenance.UNKNOWN));
    StringWriter out = new StringWriter();
    new Inspection(new PrintWriter(out, true), false)
        .checkpoint(file, Safetensors.read(file), CheckpointFile.read(file));
    return out.toString();
  }

  private Path file(IntegerGraph graph) {
    return folder.resolve(graph.architecture().name() + ".ivit.safetensors");
  }

  @Test
  void weightsOfFewerBits() throws IOException {
    Architecture vit = FamilyModels.architecture("deit3");
    IntegerGraph graph =
        ObservedModel.ofFewerBits(
            vit,
            Scheme.EXACT,
            new Random(2),
            layer -> layer.parameters().contains(".mlp.") ? new UniformGrid(4) : null);
    String text = inspected(graph);
    assertThat(text)
        .containsPattern("(?m)^kind +integer checkpoint, version 3$")
        .containsPattern("(?m)^blocks.0.mlp.fc1 .* 4 bits, uniform +[0-3][.]\\d{3}$")
        .containsPattern("(?m)^head .* 8 bits +[0-7][.]\\d{3}$")
        .containsPattern("(?m)^  constants +\\d+$");
    List<Linear> packed =
        graph.linears().stream().filter(linear -> linear.codes().grid() != null).toList();
    long indices = packed.stream().mapToLong(linear -> linear.codes().stored().length).sum();
    assertThat(text)
        .containsPattern("(?m)^  weight_indices +" + indices + "$")
        .containsPattern("(?m)^  4 bits, uniform +%d +%d +\\d+$".formatted(packed.size(), indices));
    long sum =
        Pattern.compile("(?m)^  [a-z(]\\S* +(\\d+)$")
            .matcher(text)
            .results()
            .mapToLong(match -> Long.parseLong(match.group(1)))
            .sum();
    assertThat(sum).isEqualTo(Files.size(file(graph)));
  }

  /** Of four values as often as each other 2 bits, of one value none, of indices those of them. */
  @Test
  void entropyIsOfOrderNought() {
    WeightEntropy even = WeightEntropy.of(WeightCodes.of(new byte[] {-128, 127, 0, 1}, 2));
    assertThat(even).isEqualTo(new WeightEntropy(4, 4, 2));
    assertThat(even.bytes()).isEqualTo(1);
    assertThat(WeightEntropy.of(WeightCodes.of(new byte[6], 2)).bits()).isZero();
    byte[] codes = {-8, 7, -8, 7, -8, 7, 7, -8};
    assertThat(WeightEntropy.of(WeightCodes.of(new UniformGrid(4), codes, 2)))
        .isEqualTo(new WeightEntropy(8, 4, 1));
  }

  @Test
  void aModelThatAnswersFeatures() {
    String text = inspected("siglip");
    assertThat(text)
        .contains("answer        features", "norms         with epsilon", "feature scale ")
        .doesNotContain("logit scale", "classes");
    for (String node : FamilyModels.architecture("siglip").nodes().keySet()) {
      assertThat(text).containsPattern("(?m)^" + node + " +(8|16) ");
    }
    assertThat(text).containsPattern("(?m)^  epsilon +48$");
  }

  @Test
  void aProjectionIsListedAmongTheNodes() {
    String text = inspected("clip");
    assertThat(text)
        .contains("features 7, cls_token 1, norm norm_pre, activation quick_gelu, projection")
        .containsPattern("(?m)^norm_pre +16 ")
        .containsPattern("(?m)^head +32 ");
  }
}
