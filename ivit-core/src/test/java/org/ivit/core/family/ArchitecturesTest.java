package org.ivit.core.family;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.ivit.core.InputException;
import org.ivit.core.Size;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Block;
import org.ivit.core.image.Preprocess;
import org.ivit.core.pretrained.WeightCheck;
import org.ivit.core.tensor.TensorFile;
import org.ivit.core.testing.GoldenModel;
import org.ivit.core.testing.Shared;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ArchitecturesTest {
  private static final Map<String, Object> MICRO =
      Map.of(
          "kind", "vit", "image", 32, "patch", 8, "dim", 32, "depth", 2, "heads", 2, "classes", 10);

  private static Architecture parse(Map<String, Object> description) {
    JsonNode tree = new ObjectMapper().valueToTree(description);
    return Architectures.parse(tree);
  }

  /** Parameter counts as published for the models (ViT and DeiT of a size are equal). */
  @ParameterizedTest
  @CsvSource({
    "vit_tiny_patch16_224, 5717416",
    "deit_tiny_patch16_224, 5717416",
    "vit_small_patch16_224, 22050664",
    "deit_small_patch16_224, 22050664",
    "vit_base_patch16_224, 86567656",
    "deit_base_patch16_224, 86567656",
    "vit_large_patch16_224, 304326632",
    "swin_tiny_patch4_window7_224, 28288354",
    "swin_small_patch4_window7_224, 49606258",
    "swin_base_patch4_window7_224, 87768224",
  })
  void registeredModelsHaveTheirPublishedParameterCounts(String name, long count) {
    assertThat(count(name)).isEqualTo(count);
    assertThat(Architectures.names()).contains(name);
  }

  private static long count(String name) {
    return Architectures.byName(name).parameters().values().stream()
        .mapToLong(shape -> Arrays.stream(shape).reduce(1, Math::multiplyExact))
        .sum();
  }

  /**
   * Of the later families, what is folded when weights are read is not counted here, nor the mask
   * token; biases of zeros are.
   */
  @ParameterizedTest
  @CsvSource({
    "deit3_small_patch16_224, 22059496, 2 * 384 * 12, 0",
    "vit_small_patch14_dinov2, 22056576, 2 * 384 * 12 + 384, 0",
    "vit_base_patch14_dinov2, 86580480, 2 * 768 * 12 + 768, 0",
    "vit_base_patch32_clip_quickgelu_224, 87849216, 0, 768 + 512",
    "vit_large_patch14_clip_224, 303966208, 0, 1024 + 768",
    "flexivit_small, 22061416, 0, 0",
    "vit_base_patch16_siglip_224, 92884224, 768 + 2 * 590592, 12 * 769",
    "beit_base_patch16_224, 86530984, 2 * 768 * 12, 768 * 12",
  })
  void laterFamiliesHaveTheirPublishedCounts(
      String name, long published, String folded, String added) {
    assertThat(count(name)).isEqualTo(published - sum(folded) + sum(added));
    assertThat(Architectures.names()).contains(name);
  }

  /** As above, of those whose counts are published in millions, to the last digit. */
  @ParameterizedTest
  @CsvSource({
    "vit_giant_patch14_dinov2, 1136.48, 2 * 1536 * 40, 0",
    "vit_small_plus_patch16_dinov3, 29, 2 * 384 * 12, 3 * 384 * 12",
    "vit_base_patch16_dinov3_qkvb, 86, 2 * 768 * 12, 768 * 12",
    "eva02_tiny_patch14_336, 5.76, 0, 192 * 12",
    "eva02_small_patch14_336, 22.13, 0, 384 * 12",
    "eva02_base_patch14_448, 87.12, 0, 768 * 12",
    "eva02_large_patch14_448, 305.08, 0, 1024 * 24",
    "vit_medium_patch16_rope_reg1_gap_256, 38.74, 2 * 512 * 12, 512 * 12",
    "vit_mediumd_patch16_rope_reg1_gap_256, 63.95, 2 * 512 * 20, 3 * 512 * 20",
    "vit_betwixt_patch16_rope_reg4_gap_256, 60.23, 2 * 640 * 12, 640 * 12",
    "vit_base_patch16_rope_reg1_gap_256, 86.43, 2 * 768 * 12, 768 * 12",
  })
  void rotaryAndGatedFamiliesHaveTheirPublishedCounts(
      String name, BigDecimal published, String folded, String added) {
    BigDecimal millions = BigDecimal.valueOf(count(name) + sum(folded) - sum(added), 6);
    assertThat(millions.setScale(published.scale(), RoundingMode.HALF_EVEN)).isEqualTo(published);
  }

  private static long sum(String text) {
    return Stream.of(text.split(" \\+ ", -1))
        .mapToLong(
            product ->
                Stream.of(product.split(" \\* ", -1))
                    .mapToLong(Long::parseLong)
                    .reduce(1, Math::multiplyExact))
        .sum();
  }

  /** Weights of a tag may have no classes; other tags name the same model. */
  @Test
  void tagsOfWeights() {
    Architecture dino = Architectures.byName("vit_base_patch16_224.dino");
    assertThat(dino.parameters()).doesNotContainKey("head.weight").containsKey("norm.weight");
    assertThat(PretrainedPreprocess.usual(dino)).isEqualTo(Preprocess.imagenet(248, 224));
    assertThat(Architectures.byName("vit_base_patch16_224.augreg2_in21k_ft_in1k"))
        .isEqualTo(Architectures.byName("vit_base_patch16_224"));
    assertThat(Architectures.names()).noneMatch(name -> name.contains("."));
  }

  @Test
  void everyRegisteredModelSurvivesJson() {
    for (String name : Architectures.names()) {
      Architecture architecture = Architectures.byName(name);
      assertThat(Architectures.parse(Architectures.toJson(architecture).toString()))
          .isEqualTo(architecture);
      assertThat(Architectures.parse(name)).isEqualTo(architecture);
    }
  }

  @Test
  void inlineDescriptionTakesDefaults() {
    Architecture vit = parse(MICRO);
    Block block = vit.blocks().get(0);
    assertThat(block.hidden()).isEqualTo(128);
    assertThat(block.epsilon()).isEqualTo(1e-6);
    assertThat(vit.head().epsilon()).isEqualTo(1e-6);
    assertThat(block.tokens()).isEqualTo(17);
    assertThat(block.headDim()).isEqualTo(16);
    assertThat(vit.stem().patchInputs()).isEqualTo(192);
    assertThat(vit.withClasses(3).parameters().get("head.weight")).containsExactly(3, 32);
  }

  @Test
  void registersFollowTheTokensThatHeadsRead() {
    Map<String, Object> description = new HashMap<>(MICRO);
    description.put("registers", 4);
    Architecture vit = parse(description);
    assertThat(vit.parameters().get("reg_token")).containsExactly(1, 4, 32);
    assertThat(vit.parameters().get("pos_embed")).containsExactly(1, 21, 32);
    assertThat(vit.blocks()).extracting(Block::tokens).containsOnly(21);
    assertThat(vit.head().readTokens()).isEqualTo(1);
    assertThat(Architectures.parse(Architectures.toJson(vit))).isEqualTo(vit);
    for (int count : new int[] {-1, 257}) {
      description.put("registers", count);
      assertThatThrownBy(() -> parse(description))
          .isInstanceOf(InputException.class)
          .hasMessageContaining("registers is " + count + ", expected 0 to 256");
    }
  }

  @Test
  void parametersOfOneBlockInTimmOrder() {
    Architecture vit = new Vit("one", 6, 3, 4, 1, 2, 5, 7, 1e-6).architecture();
    assertThat(List.copyOf(vit.parameters().keySet()))
        .containsExactly(
            "cls_token",
            "pos_embed",
            "patch_embed.proj.weight",
            "patch_embed.proj.bias",
            "blocks.0.norm1.weight",
            "blocks.0.norm1.bias",
            "blocks.0.attn.qkv.weight",
            "blocks.0.attn.qkv.bias",
            "blocks.0.attn.proj.weight",
            "blocks.0.attn.proj.bias",
            "blocks.0.norm2.weight",
            "blocks.0.norm2.bias",
            "blocks.0.mlp.fc1.weight",
            "blocks.0.mlp.fc1.bias",
            "blocks.0.mlp.fc2.weight",
            "blocks.0.mlp.fc2.bias",
            "norm.weight",
            "norm.bias",
            "head.weight",
            "head.bias");
    assertThat(vit.parameters().get("pos_embed")).containsExactly(1, 5, 4);
    assertThat(vit.parameters().get("patch_embed.proj.weight")).containsExactly(4, 3, 3, 3);
    assertThat(vit.parameters().get("blocks.0.attn.qkv.weight")).containsExactly(12, 4);
    assertThat(vit.parameters().get("blocks.0.mlp.fc2.weight")).containsExactly(4, 5);
  }

  @ParameterizedTest
  @CsvSource({
    "image, 33, multiple of patch",
    "heads, 3, multiple of heads",
    "dim, 0, dim is 0",
    "dim, 1000000000, dim is 1000000000",
    "depth, -1, depth is -1",
    "patch, 0, patch is 0",
    "classes, -1, classes is -1",
    "classes, 99999999999, classes is 99999999999",
    "hidden, -5, hidden is -5",
    "image, 32768, tokens",
  })
  void refusesSizesByName(String key, long value, String message) {
    Map<String, Object> description = new HashMap<>(MICRO);
    description.put(key, value);
    assertThatThrownBy(() -> parse(description))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(message);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{",
        "{}",
        "{\"kind\":\"swin\"}",
        "{\"kind\":\"mixer\"}",
        "{\"kind\":7}",
        "{\"kind\":\"vit\",\"kind\":\"vit\"}",
        "{\"kind\":\"vit\",\"image\":32,\"patch\":8,\"dim\":32,\"depth\":2,\"heads\":2,\"classes\":10,\"with\":1}",
        "{\"kind\":\"vit\",\"image\":32.5,\"patch\":8,\"dim\":32,\"depth\":2,\"heads\":2,\"classes\":10}",
        "{\"kind\":\"vit\",\"image\":\"32\",\"patch\":8,\"dim\":32,\"depth\":2,\"heads\":2,\"classes\":10}",
        "{\"kind\":\"vit\",\"image\":32,\"patch\":8,\"dim\":32,\"depth\":2,\"heads\":2,\"classes\":10,\"epsilon\":2}",
        "{\"kind\":\"vit\",\"image\":32,\"patch\":8,\"dim\":32,\"depth\":2,\"heads\":2,\"classes\":10}"
            + " {}",
        "resnet50",
        "",
      })
  void refusesWhatIsNoArchitecture(String text) {
    assertThatThrownBy(() -> Architectures.parse(text))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("architecture")
        .message()
        .doesNotContain("\n");
  }

  private static final Map<String, Object> SWIN =
      Map.of(
          "kind",
          "swin",
          "image",
          64,
          "patch",
          4,
          "window",
          4,
          "dim",
          16,
          "depths",
          List.of(2, 2),
          "heads",
          List.of(1, 2),
          "classes",
          10);

  @Test
  void swinStagesHalveTheGridAndDoubleTheChannels() {
    Architecture swin = parse(SWIN);
    assertThat(swin.blocks()).extracting(Block::epsilon).containsOnly(1e-5);
    assertThat(swin.blocks())
        .extracting(block -> block.windows().resolution())
        .containsExactly(Size.of(16), Size.of(16), Size.of(8), Size.of(8));
    assertThat(swin.blocks()).extracting(Block::dim).containsExactly(16, 16, 32, 32);
    assertThat(swin.blocks())
        .extracting(site -> site.windows().shift())
        .containsExactly(Size.of(0), Size.of(2), Size.of(0), Size.of(2));
    assertThat(swin.head().dim()).isEqualTo(32);
    assertThat(swin.head().tokens()).isEqualTo(64);
    assertThat(swin.withClasses(3).parameters().get("head.weight")).containsExactly(3, 32);
    assertThat(Architectures.parse(Architectures.toJson(swin).toString())).isEqualTo(swin);
  }

  static Stream<Arguments> badSwins() {
    return Stream.of(
        Arguments.of("window", 3, "stage 0: resolution is 16, expected a multiple of window, 3"),
        Arguments.of("image", 36, "stage 0: resolution is 9, expected a multiple of window, 4"),
        Arguments.of("heads", List.of(1), "heads has 1 stages"),
        Arguments.of("heads", List.of(1, 3), "stage 1: dim is 32, expected a multiple of heads"),
        Arguments.of("heads", "12", "expected a list of integers"),
        Arguments.of("depths", List.of(), "depths has 0 stages"),
        Arguments.of("depths", List.of(2, 0), "stage 1: depth is 0"),
        Arguments.of("depths", List.of(2, 1.5), "expected a list of integers"),
        Arguments.of("dim", 20000, "merged channels"));
  }

  @ParameterizedTest
  @MethodSource("badSwins")
  void refusesSwinsByName(String key, Object value, String message) {
    Map<String, Object> description = new HashMap<>(SWIN);
    description.put(key, value);
    assertThatThrownBy(() -> parse(description))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(message);
  }

  @Test
  void refusesToMergeAnOddGrid() {
    Map<String, Object> description = new HashMap<>(SWIN);
    description.put("image", 36);
    description.put("window", 9);
    assertThatThrownBy(() -> parse(description))
        .hasMessageContaining("stage 0: resolution is 9, expected a multiple of the merging, 2");
  }

  @Test
  void goldenDescriptionsNameTheirWeights() {
    for (String model : GoldenModel.NAMES) {
      TensorFile weights = Shared.tensors("golden/" + model + "/weights.safetensors");
      WeightCheck.check(weights, Architectures.parse(weights.metadata().get("architecture")));
    }
  }

  @Test
  void realWeightsAreThoseOfTheRegistry() {
    TensorFile weights = Shared.tensors("weights/vit_tiny_patch16_224.safetensors");
    WeightCheck.check(weights, Architectures.byName("vit_tiny_patch16_224"));
    assertThatThrownBy(
            () -> WeightCheck.check(weights, Architectures.byName("vit_small_patch16_224")))
        .isInstanceOf(InputException.class)
        .hasMessageContainingAll(
            "vit_small_patch16_224", "151 wrong", "blocks.{0-11}.mlp.fc2.bias is [192], expected");
  }

  @Test
  void theTagOfWeightsIsNoPartOfTheName() {
    assertThat(Architectures.byName("vit_tiny_patch16_224.augreg_in21k_ft_in1k"))
        .isEqualTo(Architectures.byName("vit_tiny_patch16_224"));
    assertThatThrownBy(() -> Architectures.byName("vit_tin_patch16_224.augreg"))
        .isInstanceOf(InputException.class);
  }

  @Test
  void aRegisteredModelForOtherPicturesAndClasses() {
    Architecture vit =
        Architectures.parse(
            "{\"base\": \"deit_tiny_patch16_224\", \"image\": 384, \"classes\": 10}");
    assertThat(vit)
        .isEqualTo(
            new Vit("deit_tiny_patch16_384", 384, 16, 192, 12, 3, 768, 10, 1e-6).architecture());
    assertThat(PretrainedPreprocess.usual(vit, PretrainedPreprocess.resize(Size.of(384))))
        .isEqualTo(Preprocess.imagenet(384, 384));
    assertThat(Architectures.parse(Architectures.toJson(vit))).isEqualTo(vit);
    assertThat(Architectures.parse("{\"base\": \"swin_tiny_patch4_window7_224\", \"classes\": 5}"))
        .isEqualTo(Architectures.byName("swin_tiny_patch4_window7_224").withClasses(5));
    assertThatThrownBy(
            () -> Architectures.parse("{\"base\": \"deit_tiny_patch16_224\", \"image\": 100}"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("100");
    assertThatThrownBy(
            () -> Architectures.parse("{\"base\": \"deit_tiny_patch16_224\", \"dim\": 100}"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("dim");
  }
}
