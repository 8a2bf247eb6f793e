package org.ivit.core.architecture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.ivit.core.InputException;
import org.ivit.core.tensor.TensorFile;
import org.ivit.core.testing.Shared;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ArchitecturesTest {
  private static final Map<String, Object> MICRO =
      Map.of(
          "kind", "vit", "image", 32, "patch", 8, "dim", 32, "depth", 2, "heads", 2, "classes", 10);

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
  })
  void registeredModelsHaveTheirPublishedParameterCounts(String name, long count) {
    Architecture architecture = Architectures.byName(name);
    long sum = 0;
    for (long[] shape : architecture.parameters().values()) {
      sum += Arrays.stream(shape).reduce(1, Math::multiplyExact);
    }
    assertThat(sum).isEqualTo(count);
    assertThat(Architectures.names()).contains(name);
  }

  @Test
  void everyRegisteredModelSurvivesJson() {
    for (String name : Architectures.names()) {
      Architecture architecture = Architectures.byName(name);
      assertThat(Architectures.parse(architecture.toJson().toString())).isEqualTo(architecture);
      assertThat(Architectures.parse(name)).isEqualTo(architecture);
    }
  }

  @Test
  void inlineDescriptionTakesDefaults() {
    Vit vit = (Vit) Architectures.parse(MICRO);
    assertThat(vit.hidden()).isEqualTo(128);
    assertThat(vit.epsilon()).isEqualTo(1e-6);
    assertThat(vit.tokens()).isEqualTo(17);
    assertThat(vit.headDim()).isEqualTo(16);
    assertThat(vit.patchInputs()).isEqualTo(192);
    assertThat(vit.withClasses(3).parameters().get("head.weight")).containsExactly(3, 32);
  }

  @Test
  void parametersOfOneBlockInTimmOrder() {
    Vit vit = new Vit("one", 6, 3, 4, 1, 2, 5, 7, 1e-6);
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
    "classes, 0, classes is 0",
    "classes, 99999999999, classes is 99999999999",
    "hidden, -5, hidden is -5",
    "image, 32768, tokens",
  })
  void refusesSizesByName(String key, long value, String message) {
    Map<String, Object> description = new HashMap<>(MICRO);
    description.put(key, value);
    assertThatThrownBy(() -> Architectures.parse(description))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(message);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{",
        "{}",
        "{\"kind\":\"swin\"}",
        "{\"kind\":7}",
        "{\"kind\":\"vit\",\"kind\":\"vit\"}",
        "{\"kind\":\"vit\",\"image\":32,\"patch\":8,\"dim\":32,\"depth\":2,\"heads\":2,\"classes\":10,\"with\":1}",
        "{\"kind\":\"vit\",\"image\":32.5,\"patch\":8,\"dim\":32,\"depth\":2,\"heads\":2,\"classes\":10}",
        "{\"kind\":\"vit\",\"image\":\"32\",\"patch\":8,\"dim\":32,\"depth\":2,\"heads\":2,\"classes\":10}",
        "{\"kind\":\"vit\",\"image\":32,\"patch\":8,\"dim\":32,\"depth\":2,\"heads\":2,\"classes\":10,\"epsilon\":2}",
        "{\"kind\":\"vit\",\"image\":32,\"patch\":8,\"dim\":32,\"depth\":2,\"heads\":2,\"classes\":10} {}",
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

  @Test
  void goldenDescriptionsNameTheirWeights() {
    for (String model : List.of("micro_vit", "micro_vit_row", "micro_vit_outliers")) {
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
        .hasMessageContainingAll("vit_small_patch16_224", "wrong", "more");
  }
}
