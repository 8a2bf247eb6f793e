package org.ivit.core.pretrained;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.assertj.core.data.Offset;
import org.ivit.core.InputException;
import org.ivit.core.Size;
import org.ivit.core.family.PretrainedPreprocess;
import org.ivit.core.image.CropMode;
import org.ivit.core.image.Interpolation;
import org.ivit.core.image.Preprocess;
import org.ivit.core.pretrained.PretrainedModel.Wishes;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.tensor.TensorFile;
import org.ivit.core.testing.Shared;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PretrainedModelTest {
  private static final String PLAIN =
      "'kind':'vit','name':'%s','image':%d,'patch':%d,'dim':%d,'depth':2,'heads':%d,'hidden':%d,"
          + "'classes':%d,'epsilon':%s";

  private final List<String> said = new ArrayList<>();

  private static ObjectNode json(String text) {
    try {
      return (ObjectNode) new ObjectMapper().readTree("{" + text.replace('\'', '"') + "}");
    } catch (JsonProcessingException e) {
      throw new AssertionError(text, e);
    }
  }

  private static Path family(String name) {
    return Shared.path("golden/families/" + name);
  }

  private PretrainedModel open(String name) {
    return PretrainedModel.open(family(name), said::add);
  }

  private PretrainedModel open(String name, String wishes) {
    return PretrainedModel.open(family(name), new Wishes(json(wishes), null), said::add);
  }

  private void describes(PretrainedModel model, String sizes, String options) {
    assertThat(model.description()).isEqualTo(json(sizes + options));
  }

  private static String sizes(
      String name, int image, int patch, int dim, int heads, int hidden, int classes, String eps) {
    return PLAIN.formatted(name, image, patch, dim, heads, hidden, classes, eps);
  }

  @Test
  void headlessVits() {
    PretrainedModel token = open("vit_headless");
    describes(token, sizes("vit_base_patch16_224", 32, 8, 48, 3, 72, 0, "1e-6"), "");
    assertThat(token.preprocess()).isEqualTo(Preprocess.imagenet(35, 32));
    assertThat(token.classes()).isEmpty();
    assertThat(token.weights().tensors())
        .containsExactlyInAnyOrderEntriesOf(
            Shared.tensors("golden/families/vit_headless/weights.safetensors").tensors());
    describes(
        open("vit_headless_avg"),
        sizes("vit_base_patch16_224", 32, 8, 32, 4, 64, 0, "1e-6"),
        ",'pool':'avg'");
    describes(
        open("vit_headless_avg_fcnorm"),
        sizes("vit_base_patch16_224", 32, 8, 32, 2, 64, 0, "1e-6"),
        ",'pool':'avg','fc_norm':true");
    assertThat(said).isEmpty();
  }

  @Test
  void deit3FoldsItsScales() {
    PretrainedModel model = open("deit3");
    describes(
        model,
        sizes("deit3_small_patch16_224", 32, 8, 32, 2, 64, 10, "1e-6"),
        ",'positions':'patches'");
    assertThat(model.preprocess()).isEqualTo(Preprocess.imagenet(35, 32));
    TensorFile source = Shared.tensors("golden/families/deit3/weights.safetensors");
    foldsInto(model.weights(), source, "blocks.1.ls1.gamma", "blocks.1.attn.proj");
    foldsInto(model.weights(), source, "blocks.0.ls2.gamma", "blocks.0.mlp.fc2");
    assertThat(model.weights().tensors().keySet()).noneMatch(name -> name.contains("gamma"));
  }

  private static void foldsInto(
      TensorFile weights, TensorFile source, String scale, String linear) {
    float[] gamma = source.get(scale).floats();
    float[] weight = source.get(linear + ".weight").floats();
    float[] bias = source.get(linear + ".bias").floats();
    int columns = weight.length / gamma.length;
    for (int i = 0; i < weight.length; i++) {
      weight[i] *= gamma[i / columns];
    }
    for (int i = 0; i < bias.length; i++) {
      bias[i] *= gamma[i];
    }
    assertThat(weights.get(linear + ".weight").floats()).containsExactly(weight);
    assertThat(weights.get(linear + ".bias").floats()).containsExactly(bias);
  }

  @Test
  void dinov2() {
    PretrainedModel plain = open("dinov2");
    describes(plain, sizes("vit_small_patch14_dinov2", 42, 14, 32, 2, 64, 0, "1e-6"), "");
    assertThat(plain.preprocess()).isEqualTo(Preprocess.imagenet(42, 42));
    describes(
        open("dinov2_reg4"),
        sizes("vit_small_patch14_reg4_dinov2", 42, 14, 32, 2, 64, 0, "1e-6"),
        ",'registers':4,'positions':'patches'");
  }

  /** Its preprocessor gives pictures of 2 × 2 patches, so its 3 × 3 positions are resampled. */
  @Test
  void dinov2OfHuggingFaceAnswersPicturesOfItsPreprocessor() {
    PretrainedModel model = open("hf_dinov2");
    describes(model, sizes("huggingface_dinov2", 28, 14, 32, 2, 64, 0, "1e-6"), "");
    assertThat(model.preprocess()).isEqualTo(Preprocess.imagenet(32, 28));
    assertThat(model.weights().get("pos_embed").floats())
        .containsExactly(
            Shared.tensors("golden/families/hf_dinov2/float_28.safetensors")
                .get("position_embeddings")
                .floats(),
            Offset.offset(1e-6f));
    assertThat(said).singleElement().asString().contains("10 tokens interpolated to 5");
    said.clear();
    equalWeights(open("hf_dinov2", "'image':42"), open("dinov2"));
    assertThat(said).isEmpty();
  }

  @Test
  void dinov2Released() {
    PretrainedModel model = open("release_dinov2_reg4", "'heads':2");
    describes(
        model,
        sizes("dinov2_reg", 42, 14, 32, 2, 64, 0, "1e-6"),
        ",'registers':4,'positions':'patches'");
    equalWeights(model, open("dinov2_reg4"));
    assertThat(said).isEmpty();
    assertThatThrownBy(() -> open("release_dinov2_reg4"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("nothing says the number of heads")
        .hasMessageContaining("--architecture");
  }

  @Test
  void clip() {
    PretrainedModel quick = open("clip_quickgelu");
    describes(
        quick,
        sizes("vit_base_patch32_clip_quickgelu_224", 32, 8, 48, 3, 72, 20, "1e-5"),
        ",'pre_norm':true,'activation':'quick_gelu','projection':true");
    assertThat(quick.preprocess()).isEqualTo(PretrainedPreprocess.clip(35, 32));
    assertThat(quick.weights().get("patch_embed.proj.bias").floats()).isEqualTo(new float[48]);
    PretrainedModel laion = open("clip_laion");
    describes(
        laion,
        sizes("vit_base_patch16_clip_224", 32, 8, 32, 2, 64, 20, "1e-5"),
        ",'pre_norm':true,'projection':true");
    assertThat(laion.preprocess()).isEqualTo(PretrainedPreprocess.clip(32, 32));
  }

  @Test
  void clipOfOthers() {
    PretrainedModel hub = open("hf_clip");
    describes(
        hub,
        sizes("huggingface_clip", 32, 8, 48, 3, 72, 20, "1e-5"),
        ",'pre_norm':true,'activation':'quick_gelu','projection':true");
    equalWeights(hub, open("clip_quickgelu"));
    assertThat(hub.preprocess()).isEqualTo(PretrainedPreprocess.clip(32, 32));
    PretrainedModel open = open("release_open_clip");
    describes(
        open,
        sizes("open_clip", 32, 8, 32, 2, 64, 20, "1e-5"),
        ",'pre_norm':true,'projection':true");
    equalWeights(open, open("clip_laion"));
    assertThat(open.preprocess()).isEqualTo(PretrainedPreprocess.clip(32, 32));
    assertThat(said)
        .hasSize(2)
        .allSatisfy(line -> assertThat(line).contains("tower of texts").contains("left out"));
  }

  /** A TorchScript archive, read as data; its matrices are of 16 bits. */
  @Test
  void openAiClip() {
    PretrainedModel model = open("release_openai_clip/openai_clip_jit.pt", "'heads':3");
    describes(
        model,
        sizes("openai_clip", 32, 8, 48, 3, 72, 20, "1e-5"),
        ",'pre_norm':true,'activation':'quick_gelu','projection':true");
    assertThat(model.preprocess()).isEqualTo(PretrainedPreprocess.clip(32, 32));
    assertThat(said).singleElement().asString().contains("tower of texts");
    Map<String, Tensor> timm = open("clip_quickgelu").weights().tensors();
    assertThat(model.weights().tensors().keySet()).isEqualTo(timm.keySet());
    model
        .weights()
        .tensors()
        .forEach(
            (name, tensor) -> {
              float[] expected = timm.get(name).floats();
              assertThat(tensor.shape()).as(name).isEqualTo(timm.get(name).shape());
              float[] found = tensor.floats();
              for (int i = 0; i < found.length; i++) {
                float ulp = Math.max(0x1p-24f, Math.ulp(expected[i]) * (1 << 13));
                assertThat(found[i]).as(name).isCloseTo(expected[i], Offset.offset(ulp));
              }
            });
  }

  @Test
  void meanPools() {
    PretrainedModel four = open("sbb_reg4_gap");
    describes(
        four,
        sizes("vit_little_patch16_reg4_gap_256", 32, 8, 32, 2, 80, 10, "1e-6"),
        ",'registers':4,'positions':'patches','class_token':false,'pool':'avg','fc_norm':true");
    assertThat(four.preprocess()).isEqualTo(Preprocess.half(33, 32));
    PretrainedModel one = open("sbb_reg1_gap_posreg");
    describes(
        one,
        sizes("vit_so150m2_patch16_reg1_gap_256", 32, 8, 32, 2, 64, 10, "1e-6"),
        ",'registers':1,'class_token':false,'pool':'avg','fc_norm':true");
    assertThat(one.weights().get("blocks.1.attn.qkv.bias").floats()).isEqualTo(new float[96]);
  }

  @Test
  void siglip() {
    PretrainedModel gap = open("siglip_gap");
    describes(
        gap,
        sizes("vit_base_patch16_siglip_gap_224", 32, 8, 32, 4, 64, 0, "1e-6"),
        ",'class_token':false,'pool':'avg'");
    PretrainedModel map = open("siglip_map");
    describes(
        map,
        sizes("vit_base_patch16_siglip_224", 32, 8, 32, 2, 64, 0, "1e-6"),
        ",'class_token':false,'pool':'map'");
    assertThat(map.preprocess()).isEqualTo(Preprocess.half(35, 32));
    assertThat(map.weights().get("attn_pool.scores.weight").shape()).containsExactly(2, 32);
    assertThat(map.weights().get("attn_pool.scores.bias").shape()).containsExactly(2);
    assertThat(map.weights().get("attn_pool.v.weight").shape()).containsExactly(32, 32);
    Preprocess squash = Preprocess.half(32, 32).withCropMode(CropMode.SQUASH);
    PretrainedModel hub = open("hf_siglip");
    String options = ",'class_token':false,'pool':'map','activation':'gelu_tanh'";
    describes(hub, sizes("huggingface_siglip", 32, 8, 32, 2, 64, 0, "1e-6"), options);
    equalWeights(hub, map);
    assertThat(hub.preprocess()).isEqualTo(squash);
    PretrainedModel released = open("release_siglip");
    describes(released, sizes("siglip", 32, 8, 32, 2, 64, 0, "1e-6"), options);
    equalWeights(released, map);
    assertThat(released.preprocess()).isEqualTo(squash);
    assertThat(said).hasSize(2).allSatisfy(line -> assertThat(line).contains("tower of texts"));
  }

  @ParameterizedTest
  @CsvSource({"48, 48", "24, 24", "24, 40"})
  void flexivitAtAnotherSize(int height, int width) {
    PretrainedModel model = open("flexivit");
    describes(
        model, sizes("flexivit_small", 32, 8, 32, 2, 64, 10, "1e-6"), ",'positions':'patches'");
    assertThat(model.preprocess()).isEqualTo(Preprocess.half(33, 32));
    PretrainedModel other = open("flexivit", "'image':[%d,%d]".formatted(height, width));
    String size = height == width ? "" + height : height + "x" + width;
    assertThat(other.weights().get("pos_embed").floats())
        .containsExactly(
            Shared.tensors("golden/families/flexivit/float_%s.safetensors".formatted(size))
                .get("pos_embed")
                .floats(),
            Offset.offset(1e-6f));
  }

  @Test
  void beit() {
    PretrainedModel model = open("beit");
    String options = ",'positions':'none','pool':'avg','fc_norm':true,'relative_positions':true";
    describes(model, sizes("beit_base_patch16_224", 32, 8, 32, 2, 64, 10, "1e-6"), options);
    TensorFile source = Shared.tensors("golden/families/beit/weights.safetensors");
    foldsInto(model.weights(), source, "blocks.0.gamma_1", "blocks.0.attn.proj");
    float[] bias = model.weights().get("blocks.0.attn.qkv.bias").floats();
    assertThat(Arrays.copyOf(bias, 32)).isEqualTo(source.get("blocks.0.attn.q_bias").floats());
    assertThat(Arrays.copyOfRange(bias, 32, 64)).isEqualTo(new float[32]);
    assertThat(Arrays.copyOfRange(bias, 64, 96))
        .isEqualTo(source.get("blocks.0.attn.v_bias").floats());
    PretrainedModel hub = open("hf_beit");
    describes(hub, sizes("huggingface_beit", 32, 8, 32, 2, 64, 10, "1e-12"), options);
    equalWeights(hub, model);
    assertThat(hub.classes())
        .isEqualTo(IntStream.range(0, 10).mapToObj(i -> "class " + i).toList());
    assertThat(hub.preprocess())
        .isEqualTo(
            new Preprocess(
                32,
                32,
                Interpolation.BILINEAR,
                CropMode.SQUASH,
                new float[] {0.5f, 0.5f, 0.5f},
                new float[] {0.5f, 0.5f, 0.5f}));
    assertThatThrownBy(() -> open("beit", "'image':48"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("relative positions are not resampled");
  }

  @Test
  void maskedAutoencoder() {
    PretrainedModel model = open("hf_vit_mae");
    describes(model, sizes("huggingface_vit_mae", 32, 8, 32, 4, 64, 0, "1e-12"), "");
    equalWeights(model, open("vit_headless_avg"));
    assertThat(said).singleElement().asString().contains("left out").contains("decoder.");
  }

  @Test
  void dinov3() {
    PretrainedModel model = open("dinov3");
    String options = ",'registers':4,'positions':'none','rotary':'dinov3'";
    describes(
        model,
        sizes("vit_small_patch16_dinov3", 32, 8, 32, 2, 64, 0, "1e-5"),
        options + ",'pool':'avg'");
    assertThat(model.preprocess()).isEqualTo(Preprocess.imagenet(32, 32));
    TensorFile source = Shared.tensors("golden/families/dinov3/weights.safetensors");
    foldsInto(model.weights(), source, "blocks.0.gamma_1", "blocks.0.attn.proj");
    foldsInto(model.weights(), source, "blocks.1.gamma_2", "blocks.1.mlp.fc2");
    assertThat(model.weights().get("blocks.1.attn.qkv.bias").floats()).isEqualTo(new float[96]);
    PretrainedModel hub = open("hf_dinov3");
    describes(hub, sizes("huggingface_dinov3", 32, 8, 32, 2, 64, 0, "1e-5"), options);
    equalWeights(hub, model);
    Preprocess imagenet = Preprocess.imagenet(32, 32);
    Preprocess squash =
        new Preprocess(
            32, 32, Interpolation.BILINEAR, CropMode.SQUASH, imagenet.mean(), imagenet.std());
    assertThat(hub.preprocess()).isEqualTo(squash);
    PretrainedModel wide = open("dinov3", "'image':[24,40]");
    assertThat(wide.architecture().blocks().get(0).rotary().grid()).isEqualTo(new Size(3, 5));
    equalWeights(wide, model);
    assertThat(said).isEmpty();
  }

  @Test
  void dinov3WithGates() {
    PretrainedModel model = open("dinov3_plus_qkvb");
    String options = ",'registers':4,'positions':'none','rotary':'dinov3','mlp':'swiglu'";
    describes(
        model, sizes("vit_small_plus_patch16_dinov3_qkvb", 32, 8, 32, 4, 56, 0, "1e-5"), options);
    TensorFile source = Shared.tensors("golden/families/dinov3_plus_qkvb/weights.safetensors");
    float[] bias = model.weights().get("blocks.1.attn.qkv.bias").floats();
    assertThat(Arrays.copyOf(bias, 32)).isEqualTo(source.get("blocks.1.attn.q_bias").floats());
    assertThat(Arrays.copyOfRange(bias, 32, 64)).isEqualTo(new float[32]);
    assertThat(Arrays.copyOfRange(bias, 64, 96))
        .isEqualTo(source.get("blocks.1.attn.v_bias").floats());
    // The stored bias of the keys is not zero: its mask makes it so. Periods say the heads.
    PretrainedModel released = open("release_dinov3_plus", "'image':32");
    describes(released, sizes("dinov3", 32, 8, 32, 4, 56, 0, "1e-5"), options);
    equalWeights(released, model);
    assertThat(released.preprocess().cropMode()).isEqualTo(CropMode.SQUASH);
    assertThat(open("release_dinov3_plus").architecture().image()).isEqualTo(Size.of(256));
    assertThat(said).isEmpty();
  }

  @Test
  void eva02() {
    PretrainedModel model = open("eva02");
    describes(
        model,
        sizes("eva02_base_patch14_448", 32, 8, 32, 2, 56, 10, "1e-6"),
        ",'rotary':'cat','rotary_grid':[3,3],'mlp':'swiglu_norm','pool':'avg','fc_norm':true");
    assertThat(model.preprocess())
        .isEqualTo(PretrainedPreprocess.clip(32, 32).withCropMode(CropMode.SQUASH));
    TensorFile source = Shared.tensors("golden/families/eva02/weights.safetensors");
    float[] weight = model.weights().get("blocks.0.attn.qkv.weight").floats();
    float[] bias = model.weights().get("blocks.0.attn.qkv.bias").floats();
    assertThat(Arrays.copyOfRange(weight, 1024, 2048))
        .isEqualTo(source.get("blocks.0.attn.k_proj.weight").floats());
    assertThat(Arrays.copyOf(bias, 32)).isEqualTo(source.get("blocks.0.attn.q_proj.bias").floats());
    assertThat(Arrays.copyOfRange(bias, 32, 64)).isEqualTo(new float[32]);
    assertThat(Arrays.copyOfRange(bias, 64, 96))
        .isEqualTo(source.get("blocks.0.attn.v_proj.bias").floats());
    assertThat(said).isEmpty();
  }

  @Test
  void dinov2WithGatesInOne() {
    PretrainedModel model = open("dinov2_swiglu");
    describes(
        model, sizes("vit_giant_patch14_dinov2", 32, 8, 32, 2, 56, 0, "1e-6"), ",'mlp':'swiglu'");
    float[] both =
        Shared.tensors("golden/families/dinov2_swiglu/weights.safetensors")
            .get("blocks.1.mlp.fc1.weight")
            .floats();
    int half = both.length / 2;
    assertThat(model.weights().get("blocks.1.mlp.fc1_g.weight").floats())
        .isEqualTo(Arrays.copyOf(both, half));
    assertThat(model.weights().get("blocks.1.mlp.fc1_x.weight").floats())
        .isEqualTo(Arrays.copyOfRange(both, half, both.length));
    assertThat(said).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "swinv2 | cosine attention and computed positions of Swin v2",
        "vit_qknorm | norms of queries and keys",
        "vit_parallel_scaling | attention and MLP in parallel",
        "hf_dinov2_reg4_classifier | a head on the class token and the mean of the patches",
      })
  void whatIsNotSupportedIsRefusedByName(String folder, String missing) {
    family(folder);
    assertThatThrownBy(() -> open(folder))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(folder)
        .hasMessageContaining("its model is not supported: it has ")
        .hasMessageContainingAll(missing.split(", ", -1))
        .hasMessageNotContaining("\n");
  }

  /** Names, shapes and every bit. */
  private static void equalWeights(PretrainedModel found, PretrainedModel expected) {
    Map<String, Tensor> wanted = new LinkedHashMap<>(expected.weights().tensors());
    assertThat(found.weights().tensors()).containsExactlyInAnyOrderEntriesOf(wanted);
  }
}
