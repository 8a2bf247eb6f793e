package org.ivit.core.pretrained;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Node;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.Logits;
import org.ivit.core.arithmetic.SoftmaxForm;
import org.ivit.core.engine.Engine;
import org.ivit.core.engine.choice.Engines;
import org.ivit.core.family.Architectures;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.graph.build.GraphBuilder;
import org.ivit.core.image.Preprocess;
import org.ivit.core.scheme.Range;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.tensor.Safetensors;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.tensor.TensorFile;
import org.ivit.core.tensor.TensorFiles;
import org.ivit.core.testing.FamilyModels;
import org.ivit.core.testing.GoldenModel;
import org.ivit.core.testing.Shared;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PublishedCheckpointTest {
  /** Nodes before the first place where the published float32 emulation leaves the integers. */
  private static final List<String> EXACT =
      List.of(
          "input",
          "patch_embed",
          "embed",
          "blocks.0.attn.qkv",
          "blocks.0.attn.scores",
          "blocks.0.attn.context",
          "blocks.0.residual1");

  private static final GoldenModel ROW = new GoldenModel("micro_vit_row");

  @TempDir Path folder;

  private static Path file() {
    return Shared.path("golden/checkpoints/micro_vit_published_qat.pth.tar");
  }

  private static PublishedCheckpoint read() {
    return PublishedCheckpoint.read(file(), ROW.architecture(), null, line -> {});
  }

  @Test
  void scalesAreThoseOfTheSameCalibrationUntilItsEmulationDrifts() {
    Map<String, Float> scales = read().scales();
    SortedMap<String, Range> ranges = ROW.ranges();
    assertThat(scales.keySet()).isEqualTo(ranges.keySet());
    double largest = 0;
    for (Node of : ROW.architecture().nodes().values()) {
      String node = of.name();
      float ours = ranges.get(node).scale(of.bits());
      float theirs = scales.get(node);
      double drift = Math.abs((double) theirs / ours - 1);
      if (EXACT.contains(node)) {
        assertThat(theirs).as(node).isEqualTo(ours);
      } else if (node.equals("blocks.0.norm1")) {
        assertThat(drift).as(node).isLessThan(2e-7);
      }
      largest = Math.max(largest, drift);
    }
    assertThat(largest).isBetween(0.011, 0.0112);
  }

  @Test
  void weightsAreThoseOfTheModel() {
    assertThat(read().weights().values())
        .containsExactlyInAnyOrderEntriesOf(ROW.weights().values());
  }

  /** The differences that {@code docs/from-published-ivit.md} gives. */
  @Test
  void integersGiveThePublishedAnswers() {
    IntegerGraph graph = read().graph();
    assertThat(graph.scheme()).isEqualTo(Scheme.of(GeluForm.ROW, SoftmaxForm.SHIFT));
    Tensor given =
        Shared.tensors("golden/checkpoints/micro_vit_published_qat_logits.safetensors")
            .get("logits");
    float[] published = given.floats();
    int classes = (int) given.shape()[1];
    for (String name : List.of("cpu", "reference")) {
      try (Engine engine = Engines.open(graph, name)) {
        int[] logits = engine.logits(ROW.evalCodes(graph), ROW.pictures());
        assertThat(logits).hasSameSizeAs(published);
        double difference = 0;
        double size = 0;
        for (int p = 0; p < ROW.pictures(); p++) {
          int best = 0;
          for (int c = 0; c < classes; c++) {
            int i = p * classes + c;
            best = published[i] > published[p * classes + best] ? c : best;
            difference =
                Math.max(
                    difference, Math.abs(logits[i] * (double) graph.logitScale() - published[i]));
            size = Math.max(size, Math.abs(published[i]));
          }
          assertThat(Logits.argMax(logits, p * classes, classes)).isEqualTo(best);
        }
        assertThat(difference / size).isBetween(0.032, 0.0322);
      }
    }
  }

  @Test
  void swinNamesAreThoseOfItsModules() {
    Architecture swin = Architectures.byName("swin_tiny_patch4_window7_224");
    assertThat(
            List.of(
                    "input",
                    "patch_embed.proj",
                    "patch_embed.norm",
                    "layers.0.blocks.1.norm1",
                    "layers.0.blocks.1.attn.scores",
                    "layers.0.blocks.1.attn.biased",
                    "layers.0.blocks.1.attn.context",
                    "layers.0.blocks.1.attn.proj",
                    "layers.0.blocks.1.mlp.act",
                    "layers.1.downsample.norm",
                    "layers.1.downsample.reduction",
                    "norm",
                    "pool")
                .stream()
                .map(PublishedCheckpoint.published(swin)::get))
        .containsExactly(
            "qact_input",
            "patch_embed.qact_before_norm",
            "qact1",
            "layers.0.blocks.1.qact1",
            "layers.0.blocks.1.attn.qact_attn1",
            "layers.0.blocks.1.attn.qact2",
            "layers.0.blocks.1.attn.qact3",
            "layers.0.blocks.1.attn.qact4",
            "layers.0.blocks.1.mlp.qact1",
            "layers.1.downsample.qact1",
            "layers.1.downsample.qact2",
            "qact2",
            "qact3");
  }

  @Test
  void aSwinGivesTheIntegersOfItsScales() {
    GoldenModel golden = new GoldenModel("micro_swin");
    SortedMap<String, Range> ranges = golden.ranges();
    Map<String, Tensor> tensors = new LinkedHashMap<>(golden.file("weights").tensors());
    ranges.forEach(
        (node, range) ->
            tensors.put(
                PublishedCheckpoint.published(golden.architecture()).get(node)
                    + ".act_scaling_factor",
                Tensor.of(
                    new float[] {range.scale(golden.architecture().nodes().get(node).bits())})));
    Path published = folder.resolve("swin.safetensors");
    Safetensors.write(published, tensors, Map.of());
    IntegerGraph graph =
        PublishedCheckpoint.read(published, golden.architecture(), null, line -> {}).graph();
    Scheme scheme = new Scheme(GeluForm.ROW, SoftmaxForm.SHIFT, 8, new java.util.TreeMap<>());
    IntegerGraph expected =
        GraphBuilder.build(golden.architecture(), golden.weights(), scheme, ranges);
    assertThat(graph.scheme()).isEqualTo(scheme);
    try (Engine ours = Engines.open(graph);
        Engine theirs = Engines.open(expected)) {
      byte[] codes = golden.evalCodes(expected);
      assertThat(ours.logits(codes, golden.pictures()))
          .isEqualTo(theirs.logits(codes, golden.pictures()));
    }
  }

  @Test
  void preprocessingIsThePublishedOneForEveryModel() {
    Architecture vit = Architectures.byName("vit_base_patch16_224");
    assertThat(new PublishedCheckpoint(vit, null, Map.of()).preprocess())
        .isEqualTo(Preprocess.imagenet(256, 224));
    assertThat(read().preprocess()).isEqualTo(Preprocess.imagenet(32, 32));
  }

  @Test
  void scalesThatAreMissingOrZeroAreListed() {
    TensorFile whole = TensorFiles.open(file());
    Map<String, Tensor> tensors = new LinkedHashMap<>(whole.tensors());
    tensors.remove("qact2.act_scaling_factor");
    tensors.put("blocks.1.qact1.act_scaling_factor", Tensor.of(new float[1]));
    Path bad = folder.resolve("bad.safetensors");
    Safetensors.write(bad, tensors, Map.of());
    assertThatThrownBy(() -> PublishedCheckpoint.read(bad, ROW.architecture(), null, line -> {}))
        .isInstanceOf(InputException.class)
        .hasMessageContainingAll(
            bad.toString(),
            "2 scales",
            "qact2.act_scaling_factor",
            "missing",
            "blocks.1.qact1.act_scaling_factor",
            "is 0.0");
  }

  /** Every buffer that the published Swin registers beside those that are read. */
  private static Map<String, Tensor> swinBuffers(GoldenModel golden) {
    Map<String, Tensor> tensors = new LinkedHashMap<>(golden.file("weights").tensors());
    Tensor scale = Tensor.of(new float[] {0.01f});
    PublishedCheckpoint.published(golden.architecture())
        .values()
        .forEach(module -> tensors.put(module + ".act_scaling_factor", scale));
    for (String name : golden.file("weights").tensors().keySet()) {
      if (name.endsWith("attn.qkv.weight")) {
        String attention = name.substring(0, name.length() - "qkv.weight".length());
        for (String module : List.of("qact_table", "log_int_softmax", "matmul_1", "matmul_2")) {
          tensors.put(attention + module + ".act_scaling_factor", scale);
        }
        tensors.put(attention.replace("attn.", "mlp.act") + ".act_scaling_factor", scale);
        tensors.put(attention + "qkv.fc_scaling_factor", scale);
        tensors.put(attention + "qkv.weight_integer", scale);
        tensors.put(attention + "qkv.bias_integer", scale);
        tensors.put(attention.replace("attn.", "norm1") + ".norm_scaling_factor", scale);
        tensors.put(attention.replace("attn.", "norm1") + ".bias_integer", scale);
      }
    }
    tensors.put("patch_embed.proj.conv_scaling_factor", scale);
    tensors.put("act_out.act_scaling_factor", scale);
    return tensors;
  }

  @Test
  void buffersThatFollowFromOthersAreLeftOut() {
    GoldenModel golden = new GoldenModel("micro_swin");
    Path file = folder.resolve("whole.safetensors");
    Safetensors.write(file, swinBuffers(golden), Map.of());
    PublishedCheckpoint read =
        PublishedCheckpoint.read(file, golden.architecture(), null, line -> {});
    assertThat(read.scales()).hasSameSizeAs(golden.architecture().nodes().keySet());
    assertThat(read.weights().values()).hasSameSizeAs(golden.file("weights").tensors());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "layers.0.blocks.0.attn.attn_quant.act_scaling_factor",
        "layers.0.blocks.0.attn.qact_softmax.act_scaling_factor",
        "layers.0.blocks.9.qact1.act_scaling_factor",
        "qact9.act_scaling_factor",
        "layers.0.blocks.0.mlp.fc3.weight_integer",
        "fc_norm.norm_scaling_factor"
      })
  void buffersOfOtherModulesAreRefusedByName(String buffer) {
    GoldenModel golden = new GoldenModel("micro_swin");
    Map<String, Tensor> tensors = swinBuffers(golden);
    tensors.put(buffer, Tensor.of(new float[] {0.01f}));
    Path file = folder.resolve("strange.safetensors");
    Safetensors.write(file, tensors, Map.of());
    assertThatThrownBy(
            () -> PublishedCheckpoint.read(file, golden.architecture(), null, line -> {}))
        .isInstanceOf(InputException.class)
        .hasMessage(
            "%s: holds buffers of modules that the published model of this architecture lacks: %s",
            file, buffer);
  }

  @Test
  void floatWeightsAndOtherSizesAreRefused() {
    Path weights = Shared.path("golden/checkpoints/micro_vit.pth");
    Path published = file();
    Architecture micro = ROW.architecture();
    Architecture tiny = Architectures.byName("deit_tiny_patch16_224");
    assertThatThrownBy(() -> PublishedCheckpoint.read(weights, micro, null, line -> {}))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("holds no scale");
    assertThatThrownBy(() -> PublishedCheckpoint.read(published, tiny, null, line -> {}))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("not the weights of");
  }

  @ParameterizedTest
  @CsvSource({
    "dinov3, rotary positions",
    "dinov2_giant, a gated MLP",
    "clip, norm_pre",
    "mae, a mean before its norm",
    "siglip, attention pooling",
    "avg, features as its answer"
  })
  void partsThatThePublishedTrainingLacksAreNamed(String model, String part) {
    assertThatThrownBy(() -> PublishedCheckpoint.published(FamilyModels.architecture(model)))
        .isInstanceOf(InputException.class)
        .hasMessage("architecture: has %s, which no model of the published training has", part);
  }
}
