package org.ivit.export.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.ivit.core.InputException;
import org.ivit.export.model.Logits;
import org.junit.jupiter.api.Test;

class ComparisonTest {
  private static float log(double p) {
    return (float) Math.log(p);
  }

  @Test
  void theReferenceIsTheFirstDistribution() {
    // KL(p‖q) of p = (1/2, 1/2), q = (1/4, 3/4) is ln(2) − ½·ln(3); KL(q‖p) differs.
    Logits q = Logits.ofValues(new float[] {log(.25), log(.75)}, 2);
    Logits p = Logits.ofValues(new float[] {0, 0}, 2);
    Comparison c = Comparison.of(q, p, new int[] {1});
    assertThat(c.meanKl()).isCloseTo(Math.log(2) - 0.5 * Math.log(3), within(1e-7));
    assertThat(Comparison.of(p, q, new int[] {1}).meanKl())
        .isCloseTo(.25 * Math.log(.5) + .75 * Math.log(1.5), within(1e-7));
  }

  @Test
  void dequantizesIntegerLogits() {
    Logits model = Logits.ofCodes(new int[] {-4, 6, 9}, 0.25f, 3);
    Logits reference = Logits.ofValues(new float[] {-1f, 1.5f, 2.25f}, 3);
    Comparison c = Comparison.of(model, reference, new int[] {0});
    assertThat(c.meanKl()).isCloseTo(0, within(1e-15));
    assertThat(c.agreement()).isEqualTo(new Proportion(1, 1));
  }

  @Test
  void divergenceOfAVanishingClassIsFinite() {
    Logits p = Logits.ofValues(new float[] {0, -5000}, 2);
    Logits q = Logits.ofValues(new float[] {0, -9000}, 2);
    assertThat(Comparison.of(q, p, new int[] {0}).meanKl()).isZero();
    Logits flipped = Logits.ofValues(new float[] {-5000, 0}, 2);
    assertThat(Comparison.of(flipped, p, new int[] {0}).meanKl()).isCloseTo(5000, within(1e-9));
  }

  @Test
  void meanMedianAndAgreement() {
    float[] p = new float[6];
    float[] q = {0, 0, log(.25), log(.75), log(.75), log(.25)};
    Comparison c = Comparison.of(Logits.ofValues(q, 2), Logits.ofValues(p, 2), new int[] {0, 1, 1});
    double kl = Math.log(2) - 0.5 * Math.log(3);
    assertThat(c.meanKl()).isCloseTo(2 * kl / 3, within(1e-7));
    assertThat(c.medianKl()).isCloseTo(kl, within(1e-7));
    assertThat(c.largestKl()).isCloseTo(kl, within(1e-7));
    assertThat(c.agreement()).isEqualTo(new Proportion(2, 3));
    assertThat(c.mcnemar().onlyModel()).isEqualTo(1);
    assertThat(c.mcnemar().onlyReference()).isZero();
  }

  @Test
  void refusesModelsOfDifferentClasses() {
    Logits two = Logits.ofCodes(new int[] {1, 2}, 1, 2);
    Logits one = Logits.ofCodes(new int[] {1}, 1, 1);
    assertThatThrownBy(() -> Comparison.of(two, one, new int[] {0}))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("1 classes")
        .hasMessageContaining("expected 2");
  }

  @Test
  void mcnemarIsExactForFewDiscordantPictures() {
    // Two-sided binomial test at 1/2: 2·(1 + 10 + 45)/1024 for 2 of 10.
    McNemar test = McNemar.of(2, 8);
    assertThat(test.exact()).isTrue();
    assertThat(test.pValue()).isCloseTo(112.0 / 1024, within(1e-12));
    assertThat(McNemar.of(8, 2).pValue()).isCloseTo(112.0 / 1024, within(1e-12));
    assertThat(McNemar.of(0, 0).pValue()).isEqualTo(1);
    assertThat(McNemar.of(5, 5).pValue()).isCloseTo(1, within(1e-12));
    assertThat(McNemar.of(0, 1).pValue()).isCloseTo(1, within(1e-12));
  }

  @Test
  void mcnemarIsChiSquareForMany() {
    // (|121 − 59| − 1)² / 180 = 20.672, p = 5.45e-6.
    McNemar test = McNemar.of(59, 121);
    assertThat(test.exact()).isFalse();
    assertThat(test.pValue()).isCloseTo(5.45e-6, within(5e-8));
    assertThat(McNemar.of(50, 50).pValue()).isCloseTo(1, within(1e-12));
    assertThat(McNemar.of(12, 13).exact()).isFalse();
    assertThat(McNemar.of(12, 12).exact()).isTrue();
  }
}
