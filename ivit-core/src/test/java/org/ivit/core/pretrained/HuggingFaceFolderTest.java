package org.ivit.core.pretrained;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.ivit.core.InputException;
import org.ivit.core.Size;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.family.Swin;
import org.ivit.core.family.Vit;
import org.ivit.core.image.CropMode;
import org.ivit.core.image.EvaluationTransform;
import org.ivit.core.image.Interpolation;
import org.ivit.core.image.Preprocess;
import org.ivit.core.image.Resample;
import org.ivit.core.image.Rgb;
import org.ivit.core.tensor.Safetensors;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.testing.ObservedModel;
import org.ivit.core.testing.Shared;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HuggingFaceFolderTest {
  private static final String LABELS =
      IntStream.range(0, 10)
          .mapToObj(i -> "\"%d\": \"name %d\"".formatted(i, i))
          .collect(Collectors.joining(", ", "{", "}"));

  private static final String VIT =
      """
      {"architectures": ["ViTForImageClassification"], "model_type": "vit", "hidden_act": "gelu",
       "hidden_size": 32, "image_size": 32, "intermediate_size": 128, "layer_norm_eps": 1e-12,
       "num_attention_heads": 2, "num_channels": 3, "num_hidden_layers": 2, "patch_size": 8,
       "qkv_bias": true, "id2label": %s}
      """
          .formatted(LABELS);

  private static final String SWIN =
      """
      {"architectures": ["SwinForImageClassification"], "model_type": "swin", "depths": [2, 2, 2],
       "embed_dim": 16, "hidden_act": "gelu", "image_size": 64, "layer_norm_eps": 1e-05,
       "mlp_ratio": 4.0, "num_channels": 3, "num_heads": [1, 2, 4], "patch_size": 4,
       "use_absolute_embeddings": false, "window_size": 4, "id2label": %s}
      """
          .formatted(LABELS);

  private static final String PREPROCESSOR =
      """
      {"do_normalize": true, "do_resize": true, "image_mean": [0.5, 0.5, 0.5],
       "image_std": [0.25, 0.5, 0.5], "resample": 2, "size": {"height": 32, "width": 32}}
      """;

  @TempDir Path folder;

  private PretrainedModel read(String weights, String config, String preprocessor)
      throws IOException {
    Path from = Shared.path("golden/checkpoints/" + weights);
    Path model = folder.resolve("model.safetensors");
    if (!Files.exists(model)) {
      Files.copy(from, model);
    }
    Files.writeString(folder.resolve("config.json"), config);
    Files.writeString(folder.resolve("preprocessor_config.json"), preprocessor);
    assertThat(PretrainedModel.isConfigured(folder)).isTrue();
    return PretrainedModel.open(folder, line -> {});
  }

  @Test
  void vit() throws IOException {
    PretrainedModel read = read("micro_vit_hf.safetensors", VIT, PREPROCESSOR);
    assertThat(read.architecture())
        .isEqualTo(new Vit("huggingface_vit", 32, 8, 32, 2, 2, 128, 10, 1e-12).architecture());
    assertThat(read.weights().tensors())
        .containsExactlyInAnyOrderEntriesOf(
            Shared.tensors("golden/micro_vit/weights.safetensors").tensors());
    assertThat(read.preprocess())
        .isEqualTo(
            new Preprocess(
                32,
                32,
                Interpolation.BILINEAR,
                CropMode.SQUASH,
                new float[] {0.5f, 0.5f, 0.5f},
                new float[] {0.25f, 0.5f, 0.5f}));
    assertThat(read.classes()).hasSize(10).startsWith("name 0", "name 1");
  }

  @Test
  void swin() throws IOException {
    String cropped =
        PREPROCESSOR
            .replace(
                "\"resample\": 2", "\"resample\": 3, \"do_center_crop\": true, \"crop_size\": 64")
            .replace("{\"height\": 32, \"width\": 32}", "{\"shortest_edge\": 72}");
    PretrainedModel read = read("micro_swin_hf.safetensors", SWIN, cropped);
    assertThat(read.architecture())
        .isEqualTo(
            new Swin("huggingface_swin", 64, 4, 4, 16, List.of(2, 2, 2), List.of(1, 2, 4), 10, 1e-5)
                .architecture());
    assertThat(read.weights().tensors())
        .containsExactlyInAnyOrderEntriesOf(
            Shared.tensors("golden/micro_swin/weights.safetensors").tensors());
    assertThat(read.preprocess().resize()).isEqualTo(Size.of(72));
    assertThat(read.preprocess().crop()).isEqualTo(Size.of(64));
    assertThat(read.preprocess().interpolation()).isEqualTo(Interpolation.BICUBIC);
  }

  private Preprocess transform(String preprocessor) throws IOException {
    return read("micro_vit_hf.safetensors", VIT, preprocessor).preprocess();
  }

  /** Each form of {@code size}, and what its processor does with a picture that is not square. */
  @Test
  void sizesSquashOrKeepProportionsAsTheirProcessorDoes() throws IOException {
    String size = "\"size\": {\"height\": 32, \"width\": 32}";
    assertThat(transform(PREPROCESSOR).cropMode()).isEqualTo(CropMode.SQUASH);
    for (String same : List.of("\"size\": 32", "\"size\": [32, 32]")) {
      assertThat(transform(PREPROCESSOR.replace(size, same))).isEqualTo(transform(PREPROCESSOR));
    }
    String crop = ", \"do_center_crop\": true, \"crop_size\": {\"height\": 32, \"width\": 32}";
    Preprocess deit = transform(PREPROCESSOR.replace(size, "\"size\": 36" + crop));
    assertThat(deit.resize()).isEqualTo(Size.of(36));
    assertThat(deit.crop()).isEqualTo(Size.of(32));
    assertThat(deit.cropMode()).isEqualTo(CropMode.SQUASH);
    Preprocess shortest =
        transform(PREPROCESSOR.replace(size, "\"size\": {\"shortest_edge\": 36}" + crop));
    assertThat(shortest).isEqualTo(deit.withCropMode(CropMode.CENTER));
    assertThat(
            transform(
                PREPROCESSOR.replace(size, "\"size\": 36, \"default_to_square\": false" + crop)))
        .isEqualTo(shortest);
    Rgb wide = new Rgb(2, 1, new byte[] {0, 0, 0, (byte) 255, (byte) 255, (byte) 255});
    Rgb squashed = new EvaluationTransform(transform(PREPROCESSOR)).apply(wide);
    assertThat(squashed).isEqualTo(Resample.resize(wide, 32, 32, Interpolation.BILINEAR));
    assertThat(new EvaluationTransform(shortest).apply(wide)).isNotEqualTo(squashed);
  }

  @Test
  void whatAKeyAsksForIsDoneOrRefusedByName() throws IOException {
    Preprocess plain = transform(PREPROCESSOR);
    Preprocess raw =
        transform(PREPROCESSOR.replace("\"do_normalize\": true", "\"do_normalize\": false"));
    assertThat(raw.mean()).containsExactly(0, 0, 0);
    assertThat(raw.std()).containsExactly(1, 1, 1);
    Preprocess unscaled =
        transform(
            PREPROCESSOR
                .replace("{", "{\"do_rescale\": false, ")
                .replace("{\"do_rescale\": false, \"height", "{\"height"));
    assertThat(unscaled.mean()[0]).isEqualTo(0.5f / 255);
    assertThat(unscaled.std()[0]).isEqualTo(0.25f / 255);
    String factor = "\"do_resize\": true, \"rescale_factor\": 0.00392156862745098";
    assertThat(transform(PREPROCESSOR.replace("\"do_resize\": true", factor))).isEqualTo(plain);
    Preprocess double127 =
        transform(PREPROCESSOR.replace("\"do_resize\": true", "\"rescale_factor\": " + 2 / 255.0));
    assertThat(double127.mean()[0]).isEqualTo(0.25f);
    assertThat(double127.std()[1]).isEqualTo(0.25f);
    String size = "{\"height\": 32, \"width\": 32}";
    refused(
        VIT,
        PREPROCESSOR.replace("\"do_resize\": true", "\"do_resize\": false"),
        "do_resize is false");
    refused(VIT, PREPROCESSOR.replace("\"do_resize\": true", "\"do_pad\": true"), "do_pad is true");
    refused(
        VIT, PREPROCESSOR.replace("\"do_resize\": true", "\"crop_pct\": 0.9"), "crop_pct is 0.9");
    refused(
        VIT,
        PREPROCESSOR.replace("\"do_resize\": true", "\"do_resize\": 1"),
        "do_resize is 1, expected true or false");
    refused(
        VIT, PREPROCESSOR.replace(size, "{\"height\": 32, \"width\": 48}"), "size", "same length");
    refused(VIT, PREPROCESSOR.replace(size, "64"), "size is 64", "image_size");
    refused(VIT, PREPROCESSOR.replace(size, "{\"shortest_edge\": 32}"), "size", "do_center_crop");
    refused(
        VIT,
        PREPROCESSOR.replace(size, "40, \"do_center_crop\": true, \"crop_size\": 36"),
        "crop_size is 36, expected 32");
  }

  @Test
  void withoutAPreprocessorTheUsualTransformIsTakenAndSaid() throws IOException {
    read("micro_vit_hf.safetensors", VIT, PREPROCESSOR);
    Files.delete(folder.resolve("preprocessor_config.json"));
    List<String> said = new ArrayList<>();
    Preprocess usual = PretrainedModel.open(folder, said::add).preprocess();
    assertThat(usual)
        .isEqualTo(
            new Preprocess(
                32,
                32,
                Interpolation.BILINEAR,
                CropMode.SQUASH,
                new float[] {0.5f, 0.5f, 0.5f},
                new float[] {0.5f, 0.5f, 0.5f}));
    assertThat(said)
        .singleElement()
        .asString()
        .contains("preprocessor_config.json: no such file", "usual for vit", "squash");
  }

  /** Configurations leave out what is as by default, and may give two sides. */
  @Test
  void sizesMayBeListsAndNamesMayBeAbsent() throws IOException {
    String lists =
        VIT.replace("\"image_size\": 32", "\"image_size\": [32, 32]")
            .replace("\"patch_size\": 8", "\"patch_size\": [8, 8]");
    assertThat(read("micro_vit_hf.safetensors", lists, PREPROCESSOR).architecture())
        .isEqualTo(new Vit("huggingface_vit", 32, 8, 32, 2, 2, 128, 10, 1e-12).architecture());
    String unnamed = VIT.replace("\"id2label\": " + LABELS, "\"num_labels\": 10");
    assertThat(read("micro_vit_hf.safetensors", unnamed, PREPROCESSOR).classes())
        .hasSize(10)
        .startsWith("LABEL_0", "LABEL_1");
    refused(VIT.replace(", \"id2label\": " + LABELS, ""), PREPROCESSOR, "has 2 classes, but head");
    refused(lists.replace("[8, 8]", "[8, 4]"), PREPROCESSOR, "patch_size");
  }

  /** Tensors as {@code DeiTForImageClassificationWithTeacher} names them. */
  private static Map<String, Tensor> named(Map<String, Tensor> timm) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    timm.forEach(
        (name, tensor) -> {
          String block = name.replaceFirst("^blocks\\.", "deit.encoder.layer.");
          if (name.contains(".attn.qkv.")) {
            String[] parts = {"query", "key", "value"};
            byte[] all = new byte[tensor.buffer().remaining()];
            tensor.buffer().get(all);
            long[] shape = tensor.shape();
            shape[0] /= 3;
            for (int i = 0; i < 3; i++) {
              byte[] part = Arrays.copyOfRange(all, i * all.length / 3, (i + 1) * all.length / 3);
              tensors.put(
                  block.replace(".attn.qkv.", ".attention.attention." + parts[i] + "."),
                  Tensor.view(tensor.dtype(), ByteBuffer.wrap(part), shape));
            }
            return;
          }
          tensors.put(
              block
                  .replace(".attn.proj.", ".attention.output.dense.")
                  .replace(".mlp.fc1.", ".intermediate.dense.")
                  .replace(".mlp.fc2.", ".output.dense.")
                  .replace(".norm1.", ".layernorm_before.")
                  .replace(".norm2.", ".layernorm_after.")
                  .replaceFirst("^norm\\.", "deit.layernorm.")
                  .replaceFirst("^head\\.", "cls_classifier.")
                  .replaceFirst("^head_dist\\.", "distillation_classifier.")
                  .replaceFirst("^cls_token", "deit.embeddings.cls_token")
                  .replaceFirst("^dist_token", "deit.embeddings.distillation_token")
                  .replaceFirst("^pos_embed", "deit.embeddings.position_embeddings")
                  .replaceFirst(
                      "^patch_embed\\.proj\\.", "deit.embeddings.patch_embeddings.projection."),
              tensor);
        });
    return tensors;
  }

  @Test
  void distilledDeit() throws IOException {
    Architecture expected =
        new Vit("huggingface_deit", 32, 8, 32, 2, 2, 128, 10, 1e-12, true).architecture();
    Map<String, Tensor> timm = new LinkedHashMap<>();
    ObservedModel.weights(expected, new Random(1))
        .values()
        .forEach((name, x) -> timm.put(name, Tensor.of(x, expected.parameters().get(name))));
    Safetensors.write(folder.resolve("model.safetensors"), named(timm), Map.of());
    String config =
        VIT.replace("\"vit\"", "\"deit\"")
            .replace("ViTForImageClassification", "DeiTForImageClassificationWithTeacher");
    Files.writeString(folder.resolve("config.json"), config);
    Files.writeString(folder.resolve("preprocessor_config.json"), PREPROCESSOR);
    PretrainedModel read = PretrainedModel.open(folder, line -> {});
    assertThat(read.architecture()).isEqualTo(expected);
    assertThat(read.weights().tensors()).containsExactlyInAnyOrderEntriesOf(timm);

    String single = config.replace("WithTeacher", "");
    Files.writeString(folder.resolve("config.json"), single);
    assertThatThrownBy(() -> PretrainedModel.open(folder, line -> {}))
        .isInstanceOf(InputException.class)
        .hasMessageEndingWith(
            "architectures is [\"DeiTForImageClassification\"], expected"
                + " DeiTForImageClassificationWithTeacher");
  }

  private void refused(String config, String preprocessor, String... texts) {
    Shared.path("golden/checkpoints/micro_vit_hf.safetensors");
    assertThatThrownBy(() -> read("micro_vit_hf.safetensors", config, preprocessor))
        .isInstanceOf(InputException.class)
        .hasMessageContainingAll(texts)
        .hasMessageNotContaining("\n");
  }

  @Test
  void whatCannotBeReadIsNamedByFileAndKey() {
    refused("{", PREPROCESSOR, "config.json", "not well-formed");
    refused("[]", PREPROCESSOR, "config.json", "no JSON object");
    refused(VIT.replace("\"vit\"", "\"bert\""), PREPROCESSOR, "model_type is \"bert\"");
    refused(VIT.replace("\"gelu\"", "\"relu\""), PREPROCESSOR, "hidden_act is \"relu\"");
    refused(VIT.replace("true", "false"), PREPROCESSOR, "qkv_bias is false");
    refused(VIT.replace("\"patch_size\": 8,", ""), PREPROCESSOR, "patch_size is missing");
    refused(VIT.replace("\"3\":", "\"33\":"), PREPROCESSOR, "id2label", "none for 3");
    refused(VIT.replace("\"hidden_size\": 32", "\"hidden_size\": 64"), PREPROCESSOR, "wrong");
    refused(
        VIT,
        PREPROCESSOR.replace("\"resample\": 2,", "\"resample\": 1,"),
        "preprocessor_config.json",
        "resample is 1");
    refused(VIT, PREPROCESSOR.replace("[0.25, 0.5, 0.5]", "[1]"), "image_std", "three numbers");
  }
}
