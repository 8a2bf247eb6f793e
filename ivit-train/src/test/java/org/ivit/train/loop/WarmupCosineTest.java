package org.ivit.train.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class WarmupCosineTest {
  private final WarmupCosine schedule = new WarmupCosine(1e-3, 1e-5, 1e-6, 10, 110);

  @Test
  void risesLinearlyThenFallsAsACosine() {
    assertThat(schedule.valueAt(0, 0)).isEqualTo(1e-6);
    assertThat(schedule.valueAt(5, 0)).isCloseTo((1e-6 + 1e-3) / 2, within(1e-15));
    assertThat(schedule.valueAt(10, 0)).isEqualTo(1e-3);
    assertThat(schedule.valueAt(60, 3)).isCloseTo((1e-3 + 1e-5) / 2, within(1e-15));
    assertThat(schedule.valueAt(35, 0))
        .isCloseTo(1e-5 + (1e-3 - 1e-5) * (1 + Math.sqrt(0.5)) / 2, within(1e-15));
    assertThat(schedule.valueAt(110, 9)).isEqualTo(1e-5);
    assertThat(schedule.valueAt(500, 9)).isEqualTo(1e-5);
  }

  @Test
  void isMonotonousOnBothSidesOfThePeak() {
    for (int i = 1; i <= 110; i++) {
      double change = schedule.valueAt(i, 0) - schedule.valueAt(i - 1, 0);
      assertThat(i <= 10 ? change : -change).as("step %d", i).isPositive();
    }
  }

  @Test
  void worksWithoutWarmupAndAtDegenerateLengths() {
    assertThat(new WarmupCosine(0.1, 0, 0, 0, 4).valueAt(0, 0)).isEqualTo(0.1);
    assertThat(new WarmupCosine(0.1, 0, 0, 0, 1).valueAt(1, 0)).isEqualTo(0);
    assertThat(new WarmupCosine(0.1, 0.05, 0, 3, 3).valueAt(3, 0)).isEqualTo(0.1);
    assertThat(new WarmupCosine(0.1, 0.05, 0, 0, 0).valueAt(0, 0)).isEqualTo(0.1);
  }

  @Test
  void cloneIsEqual() {
    assertThat(schedule.clone()).isEqualTo(schedule).hasSameHashCodeAs(schedule);
    assertThat(new WarmupCosine(1e-3, 1e-5, 1e-6, 11, 110)).isNotEqualTo(schedule);
  }
}
