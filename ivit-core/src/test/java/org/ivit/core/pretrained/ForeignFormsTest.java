package org.ivit.core.pretrained;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.UnaryOperator;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.family.Architectures;
import org.ivit.core.image.CropMode;
import org.ivit.core.image.Preprocess;
import org.ivit.core.tensor.Safetensors;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.tensor.TensorFile;
import org.ivit.core.testing.ObservedModel;
import org.ivit.core.testing.Shared;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Forms of files beside those of the golden folders. */
class ForeignFormsTest {
  @TempDir Path folder;

  private final List<String> said = new ArrayList<>();

  private static Map<String, Tensor> golden(String name) {
    return Shared.tensors("golden/families/" + name).tensors();
  }

  private static Map<String, Tensor> renamed(
      Map<String, Tensor> tensors, UnaryOperator<String> name) {
    Map<String, Tensor> renamed = new LinkedHashMap<>();
    tensors.forEach((old, tensor) -> renamed.put(name.apply(old), tensor));
    return renamed;
  }

  private Path write(String file, Map<String, Tensor> tensors, String config, String text)
      throws IOException {
    Safetensors.write(folder.resolve(file), tensors, Map.of());
    if (config != null) {
      Files.writeString(folder.resolve(config), text);
    }
    return folder;
  }

  private static Map<String, Tensor> drawn(Architecture architecture) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    ObservedModel.weights(architecture, new Random(7))
        .values()
        .forEach((name, x) -> tensors.put(name, Tensor.of(x, architecture.parameters().get(name))));
    return tensors;
  }

  @ParameterizedTest
  @ValueSource(strings = {"module.", "state_dict.module.", "visual.trunk.", "model.backbone."})
  void prefixes(String prefix) throws IOException {
    String config = Files.readString(Shared.path("golden/families/deit3/config.json"));
    Map<String, Tensor> tensors =
        renamed(golden("deit3/weights.safetensors"), name -> prefix + name);
    Path path = write("model.safetensors", tensors, "config.json", config);
    PretrainedModel plain = PretrainedModel.open(Shared.path("golden/families/deit3"), said::add);
    PretrainedModel model = PretrainedModel.open(path, said::add);
    assertThat(model.architecture()).isEqualTo(plain.architecture());
    assertThat(model.weights().tensors())
        .containsExactlyInAnyOrderEntriesOf(plain.weights().tensors());
    assertThat(said).isEmpty();
  }

  /** SigLIP of open_clip is a tower of timm beside a tower of texts. */
  @Test
  void openClipWithATowerOfTimm() throws IOException {
    Map<String, Tensor> tensors =
        renamed(golden("siglip_map/weights.safetensors"), name -> "visual.trunk." + name);
    tensors.put("text.token_embedding.weight", Tensor.of(new float[6], 3, 2));
    tensors.put("logit_scale", Tensor.of(new float[1], 1));
    String config =
        """
        {"model_cfg": {"embed_dim": 32, "vision_cfg": {"image_size": 32,
           "timm_model_name": "vit_base_patch16_siglip_224", "timm_pool": "map",
           "timm_model_pretrained": false, "timm_proj": "none"}, "text_cfg": {}},
         "preprocess_cfg": {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5],
           "interpolation": "bicubic", "resize_mode": "squash"}}
        """;
    write("open_clip_model.safetensors", tensors, "open_clip_config.json", config);
    // The real tower has heads of 64 channels, this one of 16.
    assertThatThrownBy(() -> PretrainedModel.open(folder, said::add))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("nothing says the number of heads");
    PretrainedModel.Wishes heads = PretrainedModel.Wishes.of("{\"heads\": 2}", null);
    said.clear();
    PretrainedModel model = PretrainedModel.open(folder, heads, said::add);
    PretrainedModel timm =
        PretrainedModel.open(Shared.path("golden/families/siglip_map"), line -> {});
    assertThat(model.architecture()).isEqualTo(timm.architecture());
    assertThat(model.weights().tensors())
        .containsExactlyInAnyOrderEntriesOf(timm.weights().tensors());
    assertThat(model.preprocess()).isEqualTo(Preprocess.half(32, 32).withCropMode(CropMode.SQUASH));
    assertThat(said).singleElement().asString().contains("tower of texts, 2 tensors");
    Files.writeString(
        folder.resolve("open_clip_config.json"),
        config.replace("\"image_size\"", "\"attentional_pool\": true, \"image_size\""));
    assertThatThrownBy(() -> PretrainedModel.open(folder, said::add))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("attentional_pool is true, expected no such key");
  }

  private static final String HUB =
      """
      {"model_type": "%s", "architectures": ["%s"], "hidden_act": "gelu", "num_channels": 3,
       "image_size": 16, "patch_size": 8, "hidden_size": 16, "num_hidden_layers": 1,
       "num_attention_heads": 2, "intermediate_size": 32, "layer_norm_eps": 1e-12 %s}
      """;

  private static String hub(String name) {
    return name.replace("blocks.", "encoder.layer.")
        .replace("attn.query", "attention.attention.query")
        .replace("attn.proj", "attention.output.dense")
        .replace("mlp.fc1", "intermediate.dense")
        .replace("mlp.fc2", "output.dense")
        .replace("norm1", "layernorm_before")
        .replace("norm2", "layernorm_after")
        .replaceFirst("^norm\\.", "layernorm.")
        .replaceFirst("^head\\.", "classifier.")
        .replaceFirst("^cls_token", "embeddings.cls_token")
        .replaceFirst("^reg_token", "embeddings.distillation_token")
        .replaceFirst("^pos_embed", "embeddings.position_embeddings")
        .replaceFirst("^patch_embed\\.proj", "embeddings.patch_embeddings.projection");
  }

  /** Query, key and value apart, as Hugging Face has them. */
  private static Map<String, Tensor> apart(Map<String, Tensor> tensors, boolean biases) {
    Map<String, Tensor> apart = new LinkedHashMap<>();
    tensors.forEach(
        (name, tensor) -> {
          if (!name.contains(".attn.qkv.")) {
            apart.put(hub(name), tensor);
          } else if (biases || name.endsWith("weight")) {
            float[] all = tensor.floats();
            String[] parts = {"query", "key", "value"};
            int length = all.length / parts.length;
            long[] shape = tensor.shape();
            shape[0] /= parts.length;
            for (int i = 0; i < parts.length; i++) {
              apart.put(
                  hub(name.replace("qkv", "query")).replace("query", parts[i]),
                  Tensor.of(Arrays.copyOfRange(all, i * length, (i + 1) * length), shape));
            }
          }
        });
    return apart;
  }

  private static final String VIT =
      "{\"kind\":\"vit\",\"name\":\"huggingface_%s\",\"image\":16,\"patch\":8,\"dim\":16,"
          + "\"depth\":1,\"heads\":2,\"hidden\":32,\"classes\":%d,\"epsilon\":1e-12%s}";

  @Test
  void aBackboneOfHuggingFaceAnswersWithFeatures() throws IOException {
    Architecture expected = Architectures.parse(VIT.formatted("vit", 0, ""));
    Map<String, Tensor> tensors = apart(drawn(expected), true);
    tensors.put("pooler.dense.weight", Tensor.of(new float[256], 16, 16));
    write("model.safetensors", tensors, "config.json", HUB.formatted("vit", "ViTModel", ""));
    PretrainedModel model = PretrainedModel.open(folder, said::add);
    assertThat(model.architecture()).isEqualTo(expected);
    assertThat(model.weights().tensors()).containsExactlyInAnyOrderEntriesOf(drawn(expected));
    assertThat(said)
        .hasSize(2)
        .anySatisfy(line -> assertThat(line).contains("pooler.dense.weight", "left out"));
  }

  @Test
  void queriesKeysAndValuesMayHaveNoBias() throws IOException {
    Architecture expected = Architectures.parse(VIT.formatted("vit", 3, ""));
    String labels = ", \"qkv_bias\": false, \"id2label\": {\"0\":\"a\",\"1\":\"b\",\"2\":\"c\"}";
    write(
        "model.safetensors",
        apart(drawn(expected), false),
        "config.json",
        HUB.formatted("vit", "ViTForImageClassification", labels));
    PretrainedModel model = PretrainedModel.open(folder, said::add);
    assertThat(model.weights().get("blocks.0.attn.qkv.bias").floats()).isEqualTo(new float[48]);
    assertThat(model.classes()).containsExactly("a", "b", "c");
  }

  /** No head reads the distillation token: it is a register. */
  @Test
  void deitWithoutATeacher() throws IOException {
    Architecture expected = Architectures.parse(VIT.formatted("deit", 2, ",\"registers\":1"));
    write(
        "model.safetensors",
        apart(drawn(expected), true),
        "config.json",
        HUB.formatted("deit", "DeiTForImageClassification", ""));
    PretrainedModel model = PretrainedModel.open(folder, said::add);
    assertThat(model.architecture()).isEqualTo(expected);
    assertThat(model.weights().tensors()).containsExactlyInAnyOrderEntriesOf(drawn(expected));
    assertThat(new WeightSearch(expected, null, said::add).findFitted(folder).tensors())
        .containsExactlyInAnyOrderEntriesOf(drawn(expected));
  }

  /** What a recipe reads, that has the architecture of a folder, is what the folder answers. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "hf_dinov2",
        "hf_clip",
        "hf_siglip",
        "hf_beit",
        "hf_vit_mae",
        "release_open_clip",
        "release_siglip",
        "sbb_reg1_gap_posreg",
        "siglip_map",
        "beit",
        "clip_laion",
        "dinov2_swiglu",
        "dinov3_plus_qkvb",
        "eva02",
        "hf_dinov3"
      })
  void theSearchForAnArchitectureFindsTheSame(String family) {
    Path path = Shared.path("golden/families/" + family);
    PretrainedModel model = PretrainedModel.open(path, line -> {});
    assertThat(new WeightSearch(model.architecture(), null, line -> {}).findFitted(path).tensors())
        .containsExactlyInAnyOrderEntriesOf(model.weights().tensors());
    assertThat(PretrainedModel.preprocess(path, model.architecture().image(), line -> {}))
        .contains(model.preprocess());
  }

  @Test
  void torchvisionVit() throws IOException {
    Architecture expected =
        Architectures.parse(
            "{\"kind\":\"vit\",\"name\":\"torchvision_vit\",\"image\":32,\"patch\":16,\"dim\":64,"
                + "\"depth\":2,\"heads\":1,\"hidden\":128,\"classes\":5}");
    Map<String, Tensor> tensors =
        renamed(
            drawn(expected),
            name ->
                name.replace("blocks.", "encoder.layers.encoder_layer_")
                    .replace("attn.qkv.", "self_attention.in_proj_")
                    .replace("attn.proj.", "self_attention.out_proj.")
                    .replace("mlp.fc1.", "mlp.0.")
                    .replace("mlp.fc2.", "mlp.3.")
                    .replace("norm1.", "ln_1.")
                    .replace("norm2.", "ln_2.")
                    .replaceFirst("^norm\\.", "encoder.ln.")
                    .replaceFirst("^head\\.", "heads.head.")
                    .replaceFirst("^cls_token", "class_token")
                    .replaceFirst("^pos_embed", "encoder.pos_embedding")
                    .replaceFirst("^patch_embed\\.proj\\.", "conv_proj."));
    write("vit_b_16.safetensors", tensors, null, null);
    PretrainedModel model = PretrainedModel.open(folder, said::add);
    assertThat(model.architecture()).isEqualTo(expected);
    assertThat(model.weights().tensors()).containsExactlyInAnyOrderEntriesOf(drawn(expected));
    assertThat(said).isEmpty();
  }

  @Test
  void torchvisionSwin() throws IOException {
    Architecture expected =
        Architectures.parse(
            "{\"kind\":\"swin\",\"name\":\"torchvision_swin\",\"image\":224,\"patch\":4,"
                + "\"window\":7,\"dim\":8,\"depths\":[1,1],\"heads\":[1,2],\"classes\":5}");
    Map<String, Tensor> tensors =
        renamed(
            drawn(expected),
            name ->
                name.replace("layers.0.blocks.", "features.1.")
                    .replace("layers.0.downsample.", "features.2.")
                    .replace("layers.1.blocks.", "features.3.")
                    .replace("mlp.fc1.", "mlp.0.")
                    .replace("mlp.fc2.", "mlp.3.")
                    .replace("patch_embed.proj.", "features.0.0.")
                    .replace("patch_embed.norm.", "features.0.2."));
    tensors.put("features.1.0.attn.relative_position_index", Tensor.of(new long[4], 4));
    write("swin_t.safetensors", tensors, null, null);
    PretrainedModel model = PretrainedModel.open(folder, said::add);
    assertThat(model.architecture()).isEqualTo(expected);
    assertThat(model.weights().tensors()).containsExactlyInAnyOrderEntriesOf(drawn(expected));
  }

  /** Published widths have heads of 64 channels. */
  @Test
  void dinov2OfAPublishedWidth() throws IOException {
    Architecture sizes =
        Architectures.parse(
            "{\"kind\":\"vit\",\"name\":\"dinov2\",\"image\":28,\"patch\":14,\"dim\":384,"
                + "\"depth\":1,\"heads\":6,\"hidden\":16,\"classes\":0}");
    Map<String, Tensor> tensors = drawn(sizes);
    float[] ones = new float[384];
    Arrays.fill(ones, 1);
    tensors.put("blocks.0.ls1.gamma", Tensor.of(ones, 384));
    tensors.put("blocks.0.ls2.gamma", Tensor.of(ones, 384));
    tensors.put("mask_token", Tensor.of(ones, 1, 384));
    write("dinov2_vits14_pretrain.safetensors", tensors, null, null);
    PretrainedModel model = PretrainedModel.open(folder, said::add);
    assertThat(model.architecture()).isEqualTo(sizes);
    assertThat(said).isEmpty();
  }

  private PretrainedModel renamed(String family, String[][] pairs, Map<String, Tensor> more)
      throws IOException {
    Map<String, Tensor> tensors =
        renamed(
            golden(family + "/weights.safetensors"),
            name -> {
              String renamed = name;
              for (String[] pair : pairs) {
                renamed = renamed.replace(pair[0], pair[1]);
              }
              return renamed;
            });
    tensors.putAll(more);
    write("weights.safetensors", tensors, null, null);
    return PretrainedModel.open(
        folder, PretrainedModel.Wishes.of("{\"heads\": 2}", null), said::add);
  }

  /** DINOv2's giant as its release and as Hugging Face name it. */
  @Test
  void gatesInOneOfOthers() throws IOException {
    PretrainedModel timm =
        PretrainedModel.open(Shared.path("golden/families/dinov2_swiglu"), said::add);
    String[][] release = {{"mlp.fc1.", "mlp.w12."}, {"mlp.fc2.", "mlp.w3."}};
    Map<String, Tensor> mask = Map.of("mask_token", Tensor.of(new float[32], 1, 32));
    PretrainedModel released = renamed("dinov2_swiglu", release, mask);
    assertThat(released.architecture().parts()).isEqualTo(timm.architecture().parts());
    assertThat(released.weights().tensors())
        .containsExactlyInAnyOrderEntriesOf(timm.weights().tensors());
    assertThat(said).isEmpty();

    Map<String, Tensor> hub = new LinkedHashMap<>();
    apart(golden("dinov2_swiglu/weights.safetensors"), true)
        .forEach(
            (name, tensor) ->
                hub.put(
                    name.replace("intermediate.dense", "mlp.weights_in")
                        .replace(".output.dense", ".mlp.weights_out")
                        .replace("attention.mlp.weights_out", "attention.output.dense")
                        .replace("ls1.gamma", "layer_scale1.lambda1")
                        .replace("ls2.gamma", "layer_scale2.lambda1")
                        .replace("layernorm_before", "norm1")
                        .replace("layernorm_after", "norm2"),
                    tensor));
    String config =
        """
        {"model_type": "dinov2", "architectures": ["Dinov2Model"], "hidden_act": "gelu",
         "num_channels": 3, "image_size": 32, "patch_size": 8, "hidden_size": 32,
         "num_hidden_layers": 2, "num_attention_heads": 2, "mlp_ratio": 4,
         "use_swiglu_ffn": true, "layer_norm_eps": 1e-6}
        """;
    Files.delete(folder.resolve("weights.safetensors"));
    write("model.safetensors", hub, "config.json", config);
    PretrainedModel found = PretrainedModel.open(folder, line -> {});
    assertThat(found.architecture().parts()).isEqualTo(timm.architecture().parts());
    assertThat(found.weights().tensors())
        .containsExactlyInAnyOrderEntriesOf(timm.weights().tensors());
    assertThat(TimmWeights.of(found.weights(), found.architecture()).get("blocks.0.mlp.fc1.weight"))
        .isEqualTo(golden("dinov2_swiglu/weights.safetensors").get("blocks.0.mlp.fc1.weight"));
  }

  /** Its head has columns for the class token and, behind them, for the mean of the patches. */
  @Test
  void dinov2ClassifierOfHuggingFace() throws IOException {
    Map<String, Tensor> tensors =
        renamed(golden("hf_dinov2/model.safetensors"), name -> "dinov2." + name);
    float[] weight = new float[3 * 64];
    for (int i = 0; i < weight.length; i++) {
      weight[i] = i;
    }
    tensors.put("classifier.weight", Tensor.of(weight, 3, 64));
    tensors.put("classifier.bias", Tensor.of(new float[] {1, -2, 0.5f}, 3));
    String config =
        Files.readString(Shared.path("golden/families/hf_dinov2/config.json"))
            .replaceFirst("\\{", "{\"id2label\": {\"0\": \"cat\", \"1\": \"dog\", \"2\": \"pig\"},")
            .replace("Dinov2Model", "Dinov2ForImageClassification");
    write("model.safetensors", tensors, "config.json", config);
    PretrainedModel found = PretrainedModel.open(folder, line -> {});
    assertThat(found.description().path("pool").asText()).isEqualTo("token_avg");
    assertThat(found.architecture().head().tokenAndMean()).isTrue();
    assertThat(found.classes()).containsExactly("cat", "dog", "pig");
    float[] first = found.weights().get("head.weight").floats();
    float[] mean = found.weights().get("head_mean.weight").floats();
    assertThat(first).hasSize(3 * 32).startsWith(0, 2, 4).endsWith(2 * 159);
    assertThat(mean).hasSize(3 * 32).startsWith(64, 66).endsWith(2 * 191);
    assertThat(found.weights().get("head.bias").floats()).containsExactly(2, -4, 1);
    assertThat(found.weights().get("head_mean.bias").floats()).containsOnly(0);

    Path file = folder.resolve("model.safetensors");
    assertThat(new WeightSearch(found.architecture(), null, said::add).findFitted(file).tensors())
        .containsExactlyInAnyOrderEntriesOf(found.weights().tensors());
    ObjectNode token = found.description().deepCopy().put("pool", "token");
    Architecture other = Architectures.parse(token.toString());
    TensorFile weights = new WeightSearch(other, null, said::add).find(file);
    assertThatThrownBy(() -> WeightCheck.check(weights, other))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("head.weight");

    tensors.put("classifier.weight", Tensor.of(new float[3 * 32], 3, 32));
    write("model.safetensors", tensors, "config.json", config);
    assertThatThrownBy(() -> PretrainedModel.open(folder, line -> {}))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("tensor head.weight: is F32[3, 32], expected 64 columns")
        .hasMessageNotContaining("\n");
  }

  /** Hugging Face's DINOv3 with gates: the gate is {@code gate_proj}, the value {@code up_proj}. */
  @Test
  void gatedDinov3OfHuggingFace() throws IOException {
    PretrainedModel timm =
        PretrainedModel.open(Shared.path("golden/families/dinov3_plus_qkvb"), said::add);
    Map<String, Tensor> hub = new LinkedHashMap<>();
    golden("dinov3_plus_qkvb/weights.safetensors")
        .forEach(
            (name, tensor) -> {
              if (!name.endsWith("attn.qkv.weight")) {
                hub.put(dinov3(name), tensor);
                return;
              }
              float[] all = tensor.floats();
              String[] parts = {"q", "k", "v"};
              for (int i = 0; i < parts.length; i++) {
                hub.put(
                    dinov3(name.replace("qkv", parts[i] + "_proj")),
                    Tensor.of(Arrays.copyOfRange(all, i * 1024, (i + 1) * 1024), 32, 32));
              }
            });
    String config =
        Files.readString(Shared.path("golden/families/hf_dinov3/config.json"))
            .replace("\"use_gated_mlp\": false", "\"use_gated_mlp\": true")
            .replace("\"intermediate_size\": 64", "\"intermediate_size\": 56")
            .replace("\"num_attention_heads\": 2", "\"num_attention_heads\": 4")
            .replace("\"hidden_act\": \"gelu\"", "\"hidden_act\": \"silu\"");
    write("model.safetensors", hub, "config.json", config);
    PretrainedModel found = PretrainedModel.open(folder, line -> {});
    assertThat(found.architecture().parts()).isEqualTo(timm.architecture().parts());
    assertThat(found.weights().tensors())
        .containsExactlyInAnyOrderEntriesOf(timm.weights().tensors());
    write("model.safetensors", hub, "config.json", config.replace("silu", "gelu"));
    assertThatThrownBy(() -> PretrainedModel.open(folder, line -> {}))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("hidden_act is \"gelu\", expected silu");
    write("model.safetensors", hub, "config.json", config.replace("100.0", "10000.0"));
    assertThatThrownBy(() -> PretrainedModel.open(folder, line -> {}))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("rope_theta is 10000.0, expected 100");
  }

  private static String dinov3(String name) {
    return name.replace("blocks.", "layer.")
        .replace("attn.q_bias", "attn.q_proj.bias")
        .replace("attn.v_bias", "attn.v_proj.bias")
        .replace("attn.proj", "attn.o_proj")
        .replace("attn.", "attention.")
        .replace("gamma_1", "layer_scale1.lambda1")
        .replace("gamma_2", "layer_scale2.lambda1")
        .replace("fc1_g", "gate_proj")
        .replace("fc1_x", "up_proj")
        .replace("fc2", "down_proj")
        .replaceFirst("^cls_token", "embeddings.cls_token")
        .replaceFirst("^reg_token", "embeddings.register_tokens")
        .replaceFirst("^patch_embed\\.proj", "embeddings.patch_embeddings");
  }

  /** The release has its own names of SwiGLU, and tables of what follows from sizes. */
  @Test
  void eva02Released() throws IOException {
    PretrainedModel timm = PretrainedModel.open(Shared.path("golden/families/eva02"), line -> {});
    Map<String, Tensor> tensors =
        renamed(
            golden("eva02/weights.safetensors"),
            name ->
                name.replace("mlp.norm.", "mlp.ffn_ln.")
                    .replace("mlp.fc1_g.", "mlp.w1.")
                    .replace("mlp.fc1_x.", "mlp.w2.")
                    .replace("mlp.fc2.", "mlp.w3."));
    tensors.put("rope.freqs_cos", Tensor.of(new float[256], 16, 16));
    tensors.put("blocks.0.attn.rope.freqs_sin", Tensor.of(new float[256], 16, 16));
    write("eva02.safetensors", tensors, null, null);
    assertThat(new WeightSearch(timm.architecture(), null, said::add).findFitted(folder).tensors())
        .containsExactlyInAnyOrderEntriesOf(timm.weights().tensors());
    assertThat(said).isEmpty();
    assertThatThrownBy(() -> PretrainedModel.open(folder, said::add))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("expected --architecture NAME");
  }

  /** What timm's names of these families imply where a folder has no arguments. */
  @Test
  void rotaryPositionsThatNoPartComputes() throws IOException {
    String config = Files.readString(Shared.path("golden/families/eva02/config.json"));
    write("model.safetensors", golden("eva02/weights.safetensors"), "config.json", config);
    for (String[] change :
        new String[][] {
          {
            "\"scale_mlp\"", "\"rope_rotate_half\": true, \"scale_mlp\"", "rope_rotate_half is true"
          },
          {"\"scale_mlp\"", "\"rope_type\": \"mixed\", \"scale_mlp\"", "rope_type is \"mixed\""},
          {"\"scale_mlp\"", "\"rope_temperature\": 100, \"scale_mlp\"", "rope_temperature is 100"},
          {
            "eva02_base_patch14_448",
            "vit_base_patch16_rope_224",
            "rotary positions of another kind"
          },
          {
            "eva02_base_patch14_448",
            "vit_pe_core_base_patch16_224",
            "rotary positions of another kind"
          },
          {"\"scale_mlp\"", "\"scale_attn_inner\": true, \"scale_mlp\"", "a norm within attention"},
        }) {
      Files.writeString(folder.resolve("config.json"), config.replace(change[0], change[1]));
      assertThatThrownBy(() -> PretrainedModel.open(folder, said::add))
          .isInstanceOf(InputException.class)
          .hasMessageContaining(change[2]);
    }
    // The grid of pretraining is that of the name; without rotary positions the model is another.
    Files.writeString(
        folder.resolve("config.json"),
        config.replaceFirst("\"ref_feat_shape\": \\[\\s*3,\\s*3\\s*],", ""));
    assertThat(PretrainedModel.open(folder, said::add).description().get("rotary_grid").intValue())
        .isEqualTo(16);
  }

  @Test
  void periodsOfOtherPositionsAreRefused() throws IOException {
    Map<String, Tensor> tensors =
        renamed(
            golden("dinov3/weights.safetensors"),
            name -> name.replace("gamma_", "ls").replace("reg_token", "storage_tokens"));
    tensors =
        renamed(
            tensors, name -> name.endsWith("ls1") || name.endsWith("ls2") ? name + ".gamma" : name);
    tensors.put("mask_token", Tensor.of(new float[32], 1, 32));
    tensors.put("rope_embed.periods", Tensor.of(new float[] {1, 10, 100, 1000}, 4));
    write("dinov3.safetensors", tensors, null, null);
    assertThatThrownBy(() -> PretrainedModel.open(folder, said::add))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("rope_embed.periods: holds 10.0 at 1, expected 3.16")
        .hasMessageContaining("other rotary positions than DINOv3's");
  }

  /** What a file does not say is asked for; what a folder has beyond its model is refused. */
  @Test
  void refusals() throws IOException {
    Map<String, Tensor> tensors = golden("vit_headless/weights.safetensors");
    write("model.safetensors", tensors, null, null);
    assertThatThrownBy(() -> PretrainedModel.open(folder, said::add))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(
            "nothing beside it says of which model, expected --architecture NAME");
    String config = Files.readString(Shared.path("golden/families/vit_headless/config.json"));
    Map<String, Tensor> more = new LinkedHashMap<>(tensors);
    more.put("blocks.0.attn.gate.weight", Tensor.of(new float[4], 4));
    write("model.safetensors", more, "config.json", config);
    assertThatThrownBy(() -> PretrainedModel.open(folder, said::add))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("1 unexpected: blocks.0.attn.gate.weight");
    write("model.safetensors", tensors, "config.json", config.replace("\"depth\"", "\"dpeth\""));
    assertThatThrownBy(() -> PretrainedModel.open(folder, said::add))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("dpeth is 2, expected no such key");
    write(
        "model.safetensors",
        tensors,
        "config.json",
        config.replace("vit_base_patch16_224", "resnet50"));
    assertThatThrownBy(() -> PretrainedModel.open(folder, said::add))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("architecture is \"resnet50\", expected a ViT");
  }

  @Test
  void shapesNameTheModelsThatAFileMayBeOf() throws IOException {
    write("model.safetensors", drawn(Architectures.byName("deit_tiny_patch16_224")), null, null);
    assertThatThrownBy(() -> PretrainedModel.open(folder, said::add))
        .isInstanceOf(InputException.class)
        .hasMessageEndingWith(
            "nothing beside it says of which model: by its shapes it may be vit_tiny_patch16_224,"
                + " deit_tiny_patch16_224, expected --architecture NAME");
    assertThat(PretrainedModel.Wishes.of("deit_tiny_patch16_224", null)).isNull();
    assertThat(PretrainedModel.Wishes.of("{\"base\": \"deit_tiny_patch16_224\"}", null)).isNull();
  }

  /** Weights that a run has saved say their architecture. */
  @Test
  void weightsOfARun() {
    Architecture architecture = Architectures.parse(VIT.formatted("mine", 3, ""));
    Path file = folder.resolve("weights.safetensors");
    Safetensors.write(
        file,
        drawn(architecture),
        Map.of("architecture", Architectures.toJson(architecture).toString()));
    PretrainedModel model = PretrainedModel.open(file, said::add);
    assertThat(model.architecture()).isEqualTo(architecture);
    assertThat(model.weights().tensors()).containsExactlyInAnyOrderEntriesOf(drawn(architecture));
  }
}
