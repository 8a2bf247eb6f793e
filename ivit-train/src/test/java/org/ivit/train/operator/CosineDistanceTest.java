package org.ivit.train.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;

class CosineDistanceTest {
  private static final CosineDistance LOSS = new CosineDistance();

  @Test
  void theGradientIsThatOfTheLoss() {
    Random random = new Random(1);
    for (int n : new int[] {1, 2, 7, 40}) {
      double[] feature = random.doubles(n, -3, 3).toArray();
      double[] teacher = random.doubles(n, -3, 3).toArray();
      double[] gradient = new double[n];
      double loss = LOSS.row(feature, teacher, gradient);
      assertThat(loss).isBetween(0.0, 2.0).isEqualTo(LOSS.row(feature, teacher, null));
      double step = 1e-5;
      for (int c = 0; c < n; c++) {
        double kept = feature[c];
        feature[c] = kept + step;
        double above = LOSS.row(feature, teacher, null);
        feature[c] = kept - step;
        double below = LOSS.row(feature, teacher, null);
        feature[c] = kept;
        assertThat(gradient[c]).isCloseTo((above - below) / (2 * step), within(1e-8));
      }
    }
  }

  @Test
  void sizesSayNothing() {
    double[] feature = {1, -2, 0.5};
    double[] teacher = {4, -8, 2};
    assertThat(LOSS.row(feature, teacher, null)).isCloseTo(0, within(1e-15));
    assertThat(LOSS.row(feature, new double[] {-1, 2, -0.5}, null)).isCloseTo(2, within(1e-15));
    double[] gradient = {9, 9, 9};
    assertThat(LOSS.row(new double[3], teacher, gradient)).isEqualTo(1);
    assertThat(gradient).containsOnly(0);
    assertThat(LOSS.row(feature, new double[3], gradient)).isEqualTo(1);
    assertThat(gradient).containsOnly(0);
  }

  @Test
  void targetsAreAFeature() {
    assertThatThrownBy(() -> LOSS.row(new double[3], new double[6], null))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
