package org.ivit.train.augment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.ivit.core.Size;
import org.ivit.core.dataset.Dataset;
import org.ivit.core.dataset.OnCorrupt;
import org.ivit.core.dataset.PictureLoader;
import org.ivit.core.dataset.ProceduralPictures;
import org.ivit.core.image.EvaluationTransform;
import org.ivit.core.image.Interpolation;
import org.ivit.core.image.Preprocess;
import org.ivit.core.image.Rgb;
import org.ivit.train.augment.KeyedRandom.Use;
import org.ivit.train.recipe.Augmentation;
import org.ivit.train.recipe.Augmentation.Fill;
import org.junit.jupiter.api.Test;

class TrainingTransformTest {
  private static final Dataset SET =
      new ProceduralPictures(1, 0, 40, 40, ProceduralPictures.Strengths.DEFAULT);
  private static final Preprocess PREPROCESS = Preprocess.half(32, 32);

  static Augmentation plain() {
    return augmentation(null, 0, 0, 0, 0);
  }

  static Augmentation augmentation(
      Augmentation.RandomResizedCrop crop, int padding, double flip, double jitter, double erase) {
    return new Augmentation(
        crop,
        padding,
        flip,
        null,
        new Augmentation.ColorJitter(jitter, jitter, jitter),
        0,
        0,
        1,
        0.5,
        Augmentation.MixupMode.BATCH,
        0,
        0.1,
        new Augmentation.RandomErasing(erase, Fill.PIXEL, 1, 1));
  }

  private static Augmentation timm() {
    return augmentation(
        new Augmentation.RandomResizedCrop(List.of(0.08, 1.0), List.of(0.75, 4.0 / 3)),
        0,
        0.5,
        0.4,
        0.25);
  }

  @Test
  void withoutAugmentationItIsTheEvaluationTransform() {
    TrainingTransform transform = new TrainingTransform(plain(), PREPROCESS, 1);
    Rgb picture = SET.picture(3);
    assertThat(transform.apply(picture, 0, 3))
        .isEqualTo(new EvaluationTransform(PREPROCESS).normalised(picture));
  }

  @Test
  void threadsChangeNothing() {
    TrainingTransform transform = new TrainingTransform(timm(), PREPROCESS, 9);
    List<float[]> expected = load(transform, 1, 1);
    for (int threads : new int[] {2, 5}) {
      List<float[]> found = load(transform, threads, 7);
      for (int i = 0; i < expected.size(); i++) {
        assertThat(found.get(i)).isEqualTo(expected.get(i));
      }
    }
  }

  private static List<float[]> load(TrainingTransform transform, int threads, int ahead) {
    List<float[]> values = new ArrayList<>();
    int[] order = EpochOrder.shuffled(SET.size(), 9, 4);
    try (PictureLoader<float[]> loader =
        new PictureLoader<>(
            SET, order, (p, i) -> transform.apply(p, 4, i), OnCorrupt.FAIL, threads, ahead)) {
      loader.forEachRemaining(l -> values.add(l.value()));
    }
    return values;
  }

  @Test
  void seedEpochAndIndexChangeThePicture() {
    TrainingTransform transform = new TrainingTransform(timm(), PREPROCESS, 9);
    Rgb picture = SET.picture(0);
    float[] base = transform.apply(picture, 0, 0);
    assertThat(transform.apply(picture, 0, 0)).isEqualTo(base);
    assertThat(transform.apply(picture, 1, 0)).isNotEqualTo(base);
    assertThat(transform.apply(picture, 0, 1)).isNotEqualTo(base);
    assertThat(new TrainingTransform(timm(), PREPROCESS, 10).apply(picture, 0, 0))
        .isNotEqualTo(base);
  }

  @Test
  void flipHasItsProbability() {
    TrainingTransform transform =
        new TrainingTransform(augmentation(null, 0, 0.3, 0, 0), PREPROCESS, 2);
    Rgb picture = SET.picture(0);
    Rgb plain = new EvaluationTransform(PREPROCESS).apply(picture);
    int flipped = 0;
    for (int i = 0; i < 4000; i++) {
      Rgb out = transform.picture(picture, 0, i);
      if (out.equals(plain.flipped())) {
        flipped++;
      } else {
        assertThat(out).isEqualTo(plain);
      }
    }
    assertThat(flipped / 4000.0).isCloseTo(0.3, within(0.03));
  }

  @Test
  void cropsKeepScaleAndRatioAndReachTheBorders() {
    RandomResizedCrop crop =
        new RandomResizedCrop(0.08, 1, 0.75, 4.0 / 3, Size.of(32), Interpolation.BICUBIC);
    double area = 0;
    int left = 0;
    int right = 0;
    int central = 0;
    for (int i = 0; i < 5000; i++) {
      RandomResizedCrop.Box box = crop.box(200, 150, new KeyedRandom(Use.PICTURE, 1, 0, i));
      assertThat(box.left()).isBetween(0, 200 - box.width());
      assertThat(box.top()).isBetween(0, 150 - box.height());
      double share = box.width() * box.height() / 30_000.0;
      assertThat(share).isBetween(0.078, 1.0);
      assertThat(box.width() / (double) box.height()).isBetween(0.72, 1.4);
      area += share;
      left += box.left() == 0 ? 1 : 0;
      right += box.left() + box.width() == 200 ? 1 : 0;
      central += box.height() == 150 ? 1 : 0;
    }
    // Uniform in [0.08, 1] would have the mean 0.54; what does not fit is drawn again.
    assertThat(area / 5000).isBetween(0.40, 0.54);
    assertThat(left).isBetween(20, 1000);
    assertThat(right).isBetween(20, 1000);
    assertThat(central).isPositive();
  }

  @Test
  void picturesOfExtremeShapeFallBackToACentralCrop() {
    RandomResizedCrop crop =
        new RandomResizedCrop(1, 1, 0.75, 4.0 / 3, Size.of(8), Interpolation.BICUBIC);
    KeyedRandom random = new KeyedRandom(Use.PICTURE, 1, 0, 0);
    assertThat(crop.box(400, 30, random)).isEqualTo(new RandomResizedCrop.Box(180, 0, 40, 30));
    assertThat(crop.box(30, 400, random)).isEqualTo(new RandomResizedCrop.Box(0, 180, 30, 40));
    assertThat(crop.box(1, 1, random)).isEqualTo(new RandomResizedCrop.Box(0, 0, 1, 1));
    assertThat(crop.apply(new Rgb(1, 9, new byte[27]), random).width()).isEqualTo(8);
  }

  @Test
  void paddedCropShiftsByUpToThePadding() {
    byte[] data = new byte[3 * 8 * 8];
    Arrays.fill(data, (byte) 9);
    data[(3 * 8 + 4) * 3] = 77;
    Rgb picture = new Rgb(8, 8, data);
    int[][] seen = new int[8][8];
    for (int i = 0; i < 3000; i++) {
      Rgb out = PaddedCrop.apply(picture, 2, new KeyedRandom(Use.PICTURE, 1, 0, i));
      int nines = 0;
      int at = -1;
      for (int p = 0; p < 64; p++) {
        at = out.data()[3 * p] == 77 ? p : at;
        nines += out.data()[3 * p + 1] == 9 ? 1 : 0;
      }
      int dx = at % 8 - 4;
      int dy = at / 8 - 3;
      assertThat(nines).isEqualTo((8 - Math.abs(dx)) * (8 - Math.abs(dy)));
      seen[at / 8][at % 8]++;
    }
    for (int y = 0; y < 8; y++) {
      for (int x = 0; x < 8; x++) {
        boolean within = Math.abs(x - 4) <= 2 && Math.abs(y - 3) <= 2;
        assertThat(seen[y][x]).isBetween(within ? 70 : 0, within ? 180 : 0);
      }
    }
    Rgb far = PaddedCrop.apply(picture, 100, new KeyedRandom(Use.PICTURE, 1, 0, 1));
    assertThat(far.data()).containsOnly((byte) 0);
  }

  @Test
  void jitterDrawsFactorsFromItsRangeInEveryOrder() {
    // One grey pixel: contrast and saturation leave it, brightness multiplies it.
    Rgb grey = new Rgb(1, 1, new byte[] {100, 100, 100});
    ColorJitter jitter = new ColorJitter(0.4, 0.4, 0.4);
    int least = 255;
    int most = 0;
    double sum = 0;
    for (int i = 0; i < 4000; i++) {
      int value = jitter.apply(grey, new KeyedRandom(Use.PICTURE, 1, 0, i)).at(0, 0, 0);
      least = Math.min(least, value);
      most = Math.max(most, value);
      sum += value;
    }
    assertThat(least).isBetween(59, 61);
    assertThat(most).isBetween(138, 140);
    assertThat(sum / 4000).isCloseTo(99.5, within(1.5));
    Rgb picture = SET.picture(1);
    assertThat(new ColorJitter(0, 0, 0).apply(picture, new KeyedRandom(Use.PICTURE, 1)))
        .isEqualTo(picture);
  }

  @Test
  void erasingHasProbabilityAreaAndFill() {
    for (Fill fill : Fill.values()) {
      RandomErasing erasing = new RandomErasing(0.5, fill, 1, 1);
      int hit = 0;
      double share = 0;
      double sum = 0;
      double square = 0;
      long values = 0;
      for (int i = 0; i < 600; i++) {
        float[] picture = new float[3 * 40 * 50];
        Arrays.fill(picture, 99);
        erasing.apply(picture, 40, 50, new KeyedRandom(Use.PICTURE, 1, 0, i));
        int erased = 0;
        for (float value : picture) {
          if (value != 99) {
            erased++;
            sum += value;
            square += value * value;
          }
        }
        values += erased;
        if (erased > 0) {
          hit++;
          share += erased / 6000.0;
          assertThat(erased / 6000.0).isBetween(0.015, 0.36);
        }
      }
      assertThat(hit).isBetween(240, 360);
      assertThat(share / hit).isCloseTo((0.02 + 1.0 / 3) / 2, within(0.03));
      assertThat(sum / values).isCloseTo(0, within(0.15));
      assertThat(square / values).isCloseTo(fill == Fill.CONST ? 0 : 1, within(0.2));
    }
  }

  @Test
  void erasingOneColourFillsEachRectangleEvenly() {
    float[] picture = new float[3 * 30 * 30];
    new RandomErasing(1, Fill.RAND, 1, 1).apply(picture, 30, 30, new KeyedRandom(Use.PICTURE, 5));
    for (int c = 0; c < 3; c++) {
      float[] plane = Arrays.copyOfRange(picture, c * 900, (c + 1) * 900);
      long colours = IntStream.range(0, 900).mapToObj(i -> plane[i]).distinct().count();
      assertThat(colours).isEqualTo(2);
    }
  }

  @Test
  void erasesBetweenTheFewestAndTheMostRectangles() {
    int[] seen = new int[5];
    for (int i = 0; i < 3000; i++) {
      float[] picture = new float[3 * 60 * 60];
      new RandomErasing(1, Fill.RAND, 2, 4, 0.001, 0.002, 0.9)
          .apply(picture, 60, 60, new KeyedRandom(Use.PICTURE, 3, 0, i));
      // Each rectangle has a colour of its own; few hide another.
      long colours = IntStream.range(0, 3600).mapToObj(k -> picture[k]).distinct().count() - 1;
      seen[(int) colours]++;
    }
    assertThat(seen[0] + seen[1]).isLessThan(30);
    for (int count = 2; count <= 4; count++) {
      assertThat(seen[count]).isBetween(850, 1150);
    }
  }
}
