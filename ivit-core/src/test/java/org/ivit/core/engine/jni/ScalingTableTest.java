package org.ivit.core.engine.jni;

import static org.assertj.core.api.Assertions.assertThat;

import org.ivit.core.family.Architectures;
import org.junit.jupiter.api.Test;

class ScalingTableTest {
  private static final ScalingTable TINY =
      new ScalingTable(Architectures.byName("vit_tiny_patch16_224"), Costs.VNNI);

  @Test
  void oneThreadIsTheMeasure() {
    for (int batch : new int[] {1, 2, 8, 32}) {
      assertThat(TINY.speedUp(batch, 1)).isEqualTo(1);
    }
  }

  @Test
  void noNumberOfThreadsGivesMoreThanItself() {
    for (int threads : new int[] {2, 3, 4, 8, 16}) {
      for (int batch : new int[] {1, 2, 7, 8, 16, 31}) {
        assertThat(TINY.speedUp(batch, threads)).isBetween(1.0, (double) threads);
      }
    }
  }

  @Test
  void wholeRoundsScaleFully() {
    assertThat(TINY.speedUp(32, 16)).isEqualTo(16);
    assertThat(TINY.speedUp(8, 4)).isEqualTo(4);
  }

  @Test
  void printsALineForEveryBatch() {
    assertThat(TINY.lines())
        .hasSize(ScalingTable.BATCHES.length)
        .first()
        .asString()
        .matches("\\| vit_tiny_patch16_224 \\| 1( \\| [0-9.]+){4} \\|");
  }
}
