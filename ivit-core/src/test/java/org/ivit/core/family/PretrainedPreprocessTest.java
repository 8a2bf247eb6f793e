package org.ivit.core.family;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.ivit.core.Size;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.image.CropMode;
import org.ivit.core.image.Preprocess;
import org.junit.jupiter.api.Test;

class PretrainedPreprocessTest {
  @Test
  void thePictureIsSeenWholeFrom384OnAndUpTo64() {
    assertThat(PretrainedPreprocess.resize(224)).isEqualTo(248);
    assertThat(PretrainedPreprocess.resize(383)).isEqualTo(425);
    assertThat(PretrainedPreprocess.resize(384)).isEqualTo(384);
    assertThat(PretrainedPreprocess.resize(448)).isEqualTo(448);
    assertThat(PretrainedPreprocess.resize(65)).isEqualTo(72);
    assertThat(PretrainedPreprocess.resize(64)).isEqualTo(64);
    assertThat(PretrainedPreprocess.resize(new Size(224, 448))).isEqualTo(new Size(248, 448));
  }

  /** An inline Swin has the statistics of all published ones, an inline ViT those of augreg. */
  @Test
  void whatIsUsualForADescription() {
    Architecture swin =
        new Swin("mine", 16, 2, 2, 4, List.of(1, 1), List.of(1, 2), 3, 1e-5).architecture();
    assertThat(PretrainedPreprocess.usual(swin, Size.of(20)))
        .isEqualTo(Preprocess.imagenet(20, 16));
    Architecture vit = new Vit("mine", 32, 8, 32, 2, 2, 128, 10, 1e-6).architecture();
    assertThat(PretrainedPreprocess.usual(vit, Size.of(40))).isEqualTo(Preprocess.half(40, 32));
    Architecture deit =
        Architectures.parse("{\"base\": \"deit_tiny_patch16_224\", \"image\": 384}");
    assertThat(PretrainedPreprocess.usual(deit, Size.of(384)))
        .isEqualTo(Preprocess.imagenet(384, 384));
  }

  @Test
  void everyModelOfThePaperHasItsOwn() {
    List<String> names = Architectures.names().subList(0, 13);
    assertThat(names).allMatch(name -> name.matches("(vit|deit|swin)_.*_224"));
    for (String name : names) {
      Architecture architecture = Architectures.byName(name);
      Preprocess expected =
          name.startsWith("vit_") ? Preprocess.half(248, 224) : Preprocess.imagenet(248, 224);
      Size resize = PretrainedPreprocess.resize(architecture.image());
      assertThat(PretrainedPreprocess.usual(architecture, resize)).isEqualTo(expected);
      assertThat(PretrainedPreprocess.usual(architecture)).isEqualTo(expected);
      assertThat(PretrainedPreprocess.usual(architecture.withClasses(10), resize))
          .isEqualTo(expected);
    }
  }

  private static Preprocess usual(String name) {
    return PretrainedPreprocess.usual(Architectures.byName(name));
  }

  @Test
  void laterFamiliesHaveTheirOwn() {
    assertThat(usual("deit3_base_patch16_224")).isEqualTo(Preprocess.imagenet(248, 224));
    assertThat(usual("deit3_base_patch16_384")).isEqualTo(Preprocess.imagenet(384, 384));
    assertThat(usual("vit_small_patch14_dinov2")).isEqualTo(Preprocess.imagenet(518, 518));
    assertThat(usual("vit_base_patch32_clip_quickgelu_224"))
        .isEqualTo(PretrainedPreprocess.clip(248, 224));
    assertThat(usual("vit_base_patch16_clip_224")).isEqualTo(PretrainedPreprocess.clip(224, 224));
    assertThat(usual("vit_little_patch16_reg4_gap_256")).isEqualTo(Preprocess.half(269, 256));
    assertThat(usual("flexivit_small")).isEqualTo(Preprocess.half(252, 240));
    assertThat(usual("vit_base_patch16_siglip_384")).isEqualTo(Preprocess.half(426, 384));
    assertThat(usual("beit_base_patch16_224")).isEqualTo(Preprocess.half(248, 224));
    assertThat(usual("beitv2_base_patch16_224")).isEqualTo(Preprocess.imagenet(248, 224));
    assertThat(usual("vit_small_patch16_dinov3")).isEqualTo(Preprocess.imagenet(256, 256));
    assertThat(usual("eva02_tiny_patch14_336")).isEqualTo(PretrainedPreprocess.clip(336, 336));
    assertThat(usual("eva02_base_patch14_448"))
        .isEqualTo(PretrainedPreprocess.clip(448, 448).withCropMode(CropMode.SQUASH));
    Architecture larger =
        Architectures.parse("{\"base\": \"deit_tiny_patch16_224\", \"image\": 384}");
    assertThat(PretrainedPreprocess.usual(larger)).isEqualTo(Preprocess.imagenet(384, 384));
  }
}
