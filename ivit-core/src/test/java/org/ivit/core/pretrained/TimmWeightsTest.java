package org.ivit.core.pretrained;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.ivit.core.pretrained.names.TimmNames;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.tensor.TensorFile;
import org.ivit.core.testing.Shared;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TimmWeightsTest {
  private static PretrainedModel open(String family) {
    return PretrainedModel.open(Shared.path("golden/families/" + family), line -> {});
  }

  /** Names and shapes are those of timm's own file, and reading it again gives the same. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "vit_headless",
        "vit_headless_avg_fcnorm",
        "deit3",
        "dinov2",
        "dinov2_reg4",
        "clip_quickgelu",
        "clip_laion",
        "sbb_reg4_gap",
        "sbb_reg1_gap_posreg",
        "flexivit",
        "siglip_map",
        "siglip_gap",
        "beit",
        "dinov3",
        "dinov3_plus_qkvb",
        "dinov2_swiglu",
        "eva02"
      })
  void isWhatTimmLoads(String family) {
    PretrainedModel model = open(family);
    Map<String, Tensor> source =
        Shared.tensors("golden/families/" + family + "/weights.safetensors").tensors();
    TensorFile written = TimmWeights.of(model.weights(), model.architecture());
    assertThat(written.tensors().keySet()).containsExactlyInAnyOrderElementsOf(source.keySet());
    written
        .tensors()
        .forEach(
            (name, tensor) ->
                assertThat(tensor.shape()).as(name).isEqualTo(source.get(name).shape()));
    int heads = model.architecture().blocks().get(0).heads();
    CanonicalWeights.of(TimmNames.of(written), heads)
        .tensors()
        .forEach(
            (name, tensor) ->
                assertThat(tensor.floats())
                    .as(name)
                    .containsExactly(model.weights().get(name).floats(), Offset.offset(1e-6f)));
  }

  /** With rotary positions a bias of the keys acts: it is not lost in silence. */
  @Test
  void aBiasOfTurnedKeysStays() {
    for (String family : new String[] {"dinov3", "dinov3_plus_qkvb", "eva02"}) {
      PretrainedModel model = open(family);
      Map<String, Tensor> tensors = new LinkedHashMap<>(model.weights().tensors());
      float[] bias = tensors.get("blocks.0.attn.qkv.bias").floats();
      bias[40] = 2;
      tensors.put("blocks.0.attn.qkv.bias", Tensor.of(bias, 96));
      Map<String, Tensor> written =
          TimmWeights.of(new TensorFile(tensors, Map.of()), model.architecture()).tensors();
      String name = family.equals("eva02") ? "k_proj.bias" : "k_bias";
      assertThat(written.get("blocks.0.attn." + name).floats())
          .as(family)
          .isEqualTo(Arrays.copyOfRange(bias, 32, 64));
      assertThat(written).doesNotContainKey("blocks.1.attn." + name);
    }
  }

  @Test
  void biasesThatTimmLacksGoWhereTheyHaveTheSameEffect() {
    PretrainedModel clip = open("clip_quickgelu");
    Map<String, Tensor> tensors = new LinkedHashMap<>(clip.weights().tensors());
    float[] bias = new float[48];
    Arrays.fill(bias, 0.25f);
    tensors.put("patch_embed.proj.bias", Tensor.of(bias, 48));
    TensorFile written = TimmWeights.of(new TensorFile(tensors, Map.of()), clip.architecture());
    float[] before = clip.weights().get("pos_embed").floats();
    float[] after = written.get("pos_embed").floats();
    assertThat(Arrays.copyOf(after, 48)).isEqualTo(Arrays.copyOf(before, 48));
    for (int i = 48; i < after.length; i++) {
      assertThat(after[i]).isEqualTo(before[i] + 0.25f);
    }

    PretrainedModel sbb = open("sbb_reg1_gap_posreg");
    tensors = new LinkedHashMap<>(sbb.weights().tensors());
    float[] values = new float[96];
    values[64 + 5] = 2;
    tensors.put("blocks.0.attn.qkv.bias", Tensor.of(values, 96));
    written = TimmWeights.of(new TensorFile(tensors, Map.of()), sbb.architecture());
    float[] weight = sbb.weights().get("blocks.0.attn.proj.weight").floats();
    float[] old = sbb.weights().get("blocks.0.attn.proj.bias").floats();
    float[] moved = written.get("blocks.0.attn.proj.bias").floats();
    for (int i = 0; i < 32; i++) {
      assertThat(moved[i]).isEqualTo((float) (old[i] + 2.0 * weight[i * 32 + 5]));
    }
  }
}
