package org.ivit.train.augment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.EnumMap;
import java.util.Map;
import java.util.TreeSet;
import org.ivit.core.dataset.ProceduralPictures;
import org.ivit.core.image.Interpolation;
import org.ivit.core.image.Rgb;
import org.ivit.train.augment.KeyedRandom.Use;
import org.ivit.train.recipe.RandAugmentPolicy;
import org.junit.jupiter.api.Test;

class RandAugmentTest {
  private static final int[] FILL = {128, 128, 128};
  private static final Rgb PICTURE =
      new ProceduralPictures(4, 0, 1, 16, ProceduralPictures.Strengths.DEFAULT).picture(0);

  private static RandAugment augment(String policy) {
    return new RandAugment(RandAugmentPolicy.parse(policy), Interpolation.BICUBIC, FILL);
  }

  private static KeyedRandom random(long picture) {
    return new KeyedRandom(Use.PICTURE, 6, 0, picture);
  }

  private static RandAugmentOperation.Setting setting(boolean increasing) {
    return new RandAugmentOperation.Setting(Interpolation.BILINEAR, FILL, increasing);
  }

  @Test
  void drawsEachOperationEquallyOftenAndAppliesItWithItsProbability() {
    // Of one operation at magnitude 7 the result tells which it was, or that there was none.
    Map<RandAugmentOperation, TreeSet<Integer>> results = new EnumMap<>(RandAugmentOperation.class);
    for (RandAugmentOperation operation : RandAugmentOperation.values()) {
      TreeSet<Integer> hashes = new TreeSet<>();
      for (int i = 0; i < 20; i++) {
        hashes.add(
            operation
                .apply(
                    PICTURE,
                    7,
                    new RandAugmentOperation.Setting(Interpolation.BICUBIC, FILL, true),
                    random(i))
                .hashCode());
      }
      results.put(operation, hashes);
    }
    RandAugment augment = augment("rand-m7-n1-p0.75-inc1");
    Map<RandAugmentOperation, Integer> counts = new EnumMap<>(RandAugmentOperation.class);
    int unchanged = 0;
    int draws = 6000;
    for (int i = 0; i < draws; i++) {
      Rgb out = augment.apply(PICTURE, random(i));
      if (out.equals(PICTURE)) {
        unchanged++;
        continue;
      }
      int of = 0;
      for (RandAugmentOperation operation : RandAugmentOperation.values()) {
        if (results.get(operation).contains(out.hashCode())) {
          counts.merge(operation, 1, Integer::sum);
          of++;
        }
      }
      assertThat(of).as("operations with this result").isPositive();
    }
    // Binomial with p = 0.75/15 = 0.05: 300 ± 17, and five deviations allowed.
    for (RandAugmentOperation operation : RandAugmentOperation.values()) {
      if (!results.get(operation).contains(PICTURE.hashCode())) {
        assertThat(counts.getOrDefault(operation, 0)).as("%s", operation).isBetween(215, 385);
      }
    }
    assertThat(unchanged / (double) draws).isBetween(0.22, 0.35);
  }

  @Test
  void magnitudesAreNormalUniformOrFixedAndCut() {
    int count = 20_000;
    double sum = 0;
    double square = 0;
    int cut = 0;
    RandAugment normal = augment("rand-m9-mstd0.5");
    for (int i = 0; i < count; i++) {
      double magnitude = normal.magnitude(random(i));
      assertThat(magnitude).isBetween(5.0, 10.0);
      cut += magnitude == 10 ? 1 : 0;
      sum += magnitude;
      square += (magnitude - 9) * (magnitude - 9);
    }
    // P(Z > 2) = 0.0228 is cut off to 10, which takes little of mean and variance.
    assertThat(cut / (double) count).isCloseTo(0.0228, within(0.005));
    assertThat(sum / count).isCloseTo(9, within(0.02));
    assertThat(square / count).isCloseTo(0.245, within(0.01));
    double uniform = 0;
    RandAugment even = augment("rand-m8-mstd101");
    for (int i = 0; i < count; i++) {
      double magnitude = even.magnitude(random(i));
      assertThat(magnitude).isBetween(0.0, 8.0);
      uniform += magnitude;
    }
    assertThat(uniform / count).isCloseTo(4, within(0.08));
    assertThat(augment("rand-m9").magnitude(random(1))).isEqualTo(9);
    assertThat(augment("rand-m15").magnitude(random(1))).isEqualTo(10);
    assertThat(augment("rand-m15-mmax30").magnitude(random(1))).isEqualTo(15);
  }

  @Test
  void strengthsFollowTheMagnitude() {
    KeyedRandom random = random(0);
    assertThat(RandAugmentOperation.POSTERIZE.apply(PICTURE, 9, setting(true), random))
        .isEqualTo(ToneCurve.posterize(PICTURE, 1));
    assertThat(RandAugmentOperation.POSTERIZE.apply(PICTURE, 9, setting(false), random))
        .isEqualTo(ToneCurve.posterize(PICTURE, 3));
    assertThat(RandAugmentOperation.POSTERIZE.apply(PICTURE, 30, setting(false), random))
        .isEqualTo(PICTURE);
    assertThat(RandAugmentOperation.POSTERIZE.apply(PICTURE, 30, setting(true), random))
        .isEqualTo(ToneCurve.posterize(PICTURE, 0));
    assertThat(RandAugmentOperation.SOLARIZE.apply(PICTURE, 2.5, setting(true), random))
        .isEqualTo(ToneCurve.solarize(PICTURE, 192));
    assertThat(RandAugmentOperation.SOLARIZE.apply(PICTURE, 2.5, setting(false), random))
        .isEqualTo(ToneCurve.solarize(PICTURE, 64));
    assertThat(RandAugmentOperation.SOLARIZE_ADD.apply(PICTURE, 9, setting(true), random))
        .isEqualTo(ToneCurve.solarizeAdd(PICTURE, 99));
    assertThat(RandAugmentOperation.BRIGHTNESS.apply(PICTURE, 5, setting(false), random))
        .isEqualTo(Enhance.brightness(PICTURE, 1.0f));
    assertThat(RandAugmentOperation.COLOR.apply(PICTURE, 0, setting(false), random))
        .isEqualTo(Enhance.color(PICTURE, 0.1f));
  }

  @Test
  void directionsAreEven() {
    Map<RandAugmentOperation, Integer> up = new EnumMap<>(RandAugmentOperation.class);
    for (int i = 0; i < 2000; i++) {
      count(up, RandAugmentOperation.SHARPNESS, Enhance.sharpness(PICTURE, 1.9f), i);
      count(up, RandAugmentOperation.CONTRAST, Enhance.contrast(PICTURE, 1.9f), i);
      count(up, RandAugmentOperation.ROTATE, moved(AffineTransform.rotate(30, 16, 16)), i);
      count(up, RandAugmentOperation.SHEAR_X, moved(AffineTransform.shearX(0.3)), i);
      count(up, RandAugmentOperation.SHEAR_Y, moved(AffineTransform.shearY(0.3)), i);
      count(
          up, RandAugmentOperation.TRANSLATE_X, moved(AffineTransform.translate(0.45 * 16, 0)), i);
      count(
          up, RandAugmentOperation.TRANSLATE_Y, moved(AffineTransform.translate(0, 0.45 * 16)), i);
    }
    assertThat(up).hasSize(7);
    up.forEach((operation, count) -> assertThat(count).as("%s", operation).isBetween(890, 1110));
  }

  private static Rgb moved(AffineTransform transform) {
    return transform.apply(PICTURE, Interpolation.BILINEAR, FILL);
  }

  private static void count(
      Map<RandAugmentOperation, Integer> up,
      RandAugmentOperation operation,
      Rgb positive,
      int picture) {
    if (operation.apply(PICTURE, 10, setting(true), random(picture)).equals(positive)) {
      up.merge(operation, 1, Integer::sum);
    }
  }

  @Test
  void keyDecidesAlone() {
    RandAugment augment = augment("rand-m9-mstd0.5-inc1");
    int changed = 0;
    for (int i = 0; i < 50; i++) {
      Rgb out = augment.apply(PICTURE, random(i));
      assertThat(augment.apply(PICTURE, random(i))).isEqualTo(out);
      changed += out.equals(PICTURE) ? 0 : 1;
    }
    assertThat(changed).isBetween(20, 50);
    assertThat(augment("rand-p0").apply(PICTURE, random(1))).isEqualTo(PICTURE);
    assertThat(augment("rand-n0").apply(PICTURE, random(1))).isEqualTo(PICTURE);
  }
}
