package org.ivit.core.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Arrays;
import java.util.Random;
import org.ivit.core.InputException;
import org.ivit.core.Size;
import org.junit.jupiter.api.Test;

class EvaluationTransformTest {
  private static Rgb ramp(int width, int height) {
    byte[] data = new byte[3 * width * height];
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        int at = (y * width + x) * 3;
        data[at] = (byte) (x + 1);
        data[at + 1] = (byte) (y + 1);
        data[at + 2] = 7;
      }
    }
    return new Rgb(width, height, data);
  }

  @Test
  void longSideIsTruncated() {
    Rgb wide = EvaluationTransform.resizeShortSide(ramp(500, 375), 256, Interpolation.BICUBIC);
    assertThat(wide.width()).isEqualTo(341);
    assertThat(wide.height()).isEqualTo(256);
    Rgb high = EvaluationTransform.resizeShortSide(ramp(427, 640), 248, Interpolation.BILINEAR);
    assertThat(high.width()).isEqualTo(248);
    assertThat(high.height()).isEqualTo(371);
    Rgb same = ramp(40, 9);
    assertThat(EvaluationTransform.resizeShortSide(same, 9, Interpolation.BICUBIC)).isSameAs(same);
  }

  @Test
  void cropOffsetsRoundHalfToEven() {
    // (5 − 4)/2 = 0.5 rounds to 0, (7 − 4)/2 = 1.5 rounds to 2.
    Rgb crop = EvaluationTransform.centerCrop(ramp(5, 7), Size.of(4));
    assertThat(crop).isEqualTo(ramp(5, 7).crop(0, 2, 4, 4));
  }

  @Test
  void smallerPicturesArePaddedWithZeros() {
    Rgb crop = EvaluationTransform.centerCrop(ramp(3, 6), Size.of(6));
    assertThat(crop.width()).isEqualTo(6);
    assertThat(crop.crop(1, 0, 3, 6)).isEqualTo(ramp(3, 6));
    for (int y = 0; y < 6; y++) {
      assertThat(crop.at(0, y, 2)).isZero();
      assertThat(crop.at(4, y, 2)).isZero();
      assertThat(crop.at(5, y, 2)).isZero();
    }
  }

  @Test
  void oneSideSmallerAndOneLarger() {
    Rgb crop = EvaluationTransform.centerCrop(ramp(2, 9), Size.of(4));
    assertThat(crop.crop(1, 0, 2, 4)).isEqualTo(ramp(2, 9).crop(0, 2, 2, 4));
  }

  @Test
  void nothingButTheCropIsComputedAndItsBytesAreTheSame() {
    Random random = new Random(3);
    for (int i = 0; i < 200; i++) {
      byte[] data = new byte[3 * (1 + random.nextInt(60)) * (1 + random.nextInt(60))];
      random.nextBytes(data);
      int pixels = data.length / 3;
      int width = 1 + random.nextInt(60);
      while (pixels % width != 0) {
        width--;
      }
      Rgb picture = new Rgb(width, pixels / width, data);
      int resize = 1 + random.nextInt(40);
      int crop = 1 + random.nextInt(40);
      Interpolation filter = i % 2 == 0 ? Interpolation.BICUBIC : Interpolation.BILINEAR;
      float[] ones = {1, 1, 1};
      EvaluationTransform transform =
          new EvaluationTransform(new Preprocess(resize, crop, filter, ones, ones));
      assertThat(transform.apply(picture))
          .as("%s resize %d crop %d", picture, resize, crop)
          .isEqualTo(
              EvaluationTransform.centerCrop(
                  EvaluationTransform.resizeShortSide(picture, resize, filter), Size.of(crop)));
    }
  }

  /** A picture just covers what it is resized to, whatever the shapes of both. */
  @Test
  void oblongPicturesKeepTheirShapeOrAreSquashed() {
    Rgb wide = ramp(40, 10);
    Rgb high = ramp(10, 40);
    Size resize = new Size(12, 24);
    Size crop = new Size(8, 20);
    Interpolation filter = Interpolation.BICUBIC;
    assertThat(oblong(resize, crop, CropMode.CENTER, wide))
        .isEqualTo(EvaluationTransform.centerCrop(Resample.resize(wide, 48, 12, filter), crop));
    assertThat(oblong(resize, crop, CropMode.CENTER, high))
        .isEqualTo(EvaluationTransform.centerCrop(Resample.resize(high, 24, 96, filter), crop));
    assertThat(oblong(resize, crop, CropMode.SQUASH, high))
        .isEqualTo(EvaluationTransform.centerCrop(Resample.resize(high, 24, 12, filter), crop));
    assertThat(oblong(resize, new Size(16, 30), CropMode.SQUASH, high).width()).isEqualTo(30);
  }

  private static Rgb oblong(Size resize, Size crop, CropMode mode, Rgb picture) {
    float[] ones = {1, 1, 1};
    Preprocess preprocess = new Preprocess(resize, crop, Interpolation.BICUBIC, mode, ones, ones);
    assertThat(Preprocess.fromJson(preprocess.toJson())).isEqualTo(preprocess);
    return new EvaluationTransform(preprocess).apply(picture);
  }

  /** Resized whole it would be of 7 440 000 × 248, and the longest of 4 960 000 000 × 248. */
  @Test
  void veryLongPicturesAreCropped() {
    EvaluationTransform transform = new EvaluationTransform(Preprocess.half(248, 224));
    for (int length : new int[] {30_000, 20_000_000}) {
      byte[] data = new byte[3 * length];
      Arrays.fill(data, data.length / 2, data.length, (byte) 200);
      Rgb wide = transform.apply(new Rgb(length, 1, data));
      Rgb high = transform.apply(new Rgb(1, length, data));
      for (int i = 0; i < 224; i++) {
        assertThat(wide.at(0, i, 0)).isLessThan(wide.at(223, i, 0));
        assertThat(wide.at(i, 223, 1)).isEqualTo(wide.at(i, 0, 1)).isEqualTo(high.at(0, i, 1));
      }
    }
  }

  @Test
  void normalisationRoundsEachOperation() {
    Preprocess preprocess = Preprocess.imagenet(256, 2);
    float[] out = new EvaluationTransform(preprocess).normalised(ramp(2, 2));
    assertThat(out).hasSize(12);
    float x = 2 / 255f;
    x = x - 0.485f;
    x = x / 0.229f;
    Rgb two = new Rgb(1, 1, new byte[] {2, 2, 2});
    assertThat(new Normalisation(preprocess).apply(two)[0]).isEqualTo(x);
    Normalisation normalisation = new Normalisation(preprocess);
    byte[] all = new byte[768];
    for (int p = 0; p < 256; p++) {
      all[3 * p] = all[3 * p + 1] = all[3 * p + 2] = (byte) p;
    }
    float[] values = normalisation.apply(new Rgb(256, 1, all));
    for (int c = 0; c < 3; c++) {
      for (int p = 0; p < 256; p++) {
        float value = p / 255f;
        value -= preprocess.mean()[c];
        assertThat(values[256 * c + p]).isEqualTo(value / preprocess.std()[c]);
      }
    }
  }

  @Test
  void preprocessSurvivesJson() throws Exception {
    Preprocess preprocess = Preprocess.imagenet(248, 224);
    String json = preprocess.toJson().toString();
    Preprocess read = Preprocess.fromJson(new ObjectMapper().readTree(json));
    assertThat(read).isEqualTo(preprocess).hasSameHashCodeAs(preprocess);
    assertThat(read).isNotEqualTo(Preprocess.half(248, 224));
    assertThat(preprocess.toJson().has("crop_mode")).isFalse();
    Preprocess squash = preprocess.withCropMode(CropMode.SQUASH);
    assertThat(squash).isNotEqualTo(preprocess);
    assertThat(Preprocess.fromJson(squash.toJson())).isEqualTo(squash);
    assertThatThrownBy(() -> Preprocess.fromJson(squash.toJson().put("crop_mode", "border")))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("found 'border', expected 'center' or 'squash'");
  }

  @Test
  void preprocessNamesWhatIsWrong() {
    ObjectNode node = Preprocess.half(248, 224).toJson();
    node.put("size", 3);
    refused(node, "preprocess.size");
    node.remove("size");
    node.put("crop", "224");
    refused(node, "preprocess.crop");
    node.put("crop", 0);
    refused(node, "preprocess.crop");
    node.put("crop", 224);
    node.put("interpolation", "nearest");
    refused(node, "'nearest'");
    node.put("interpolation", "bilinear");
    node.putArray("std").add(0).add(1).add(1);
    refused(node, "preprocess.std");
    node.putArray("std").add(1).add(1);
    refused(node, "preprocess.std");
  }

  private static void refused(ObjectNode node, String part) {
    assertThatThrownBy(() -> Preprocess.fromJson(node))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(part);
  }
}
