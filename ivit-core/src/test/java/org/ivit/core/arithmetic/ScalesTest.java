package org.ivit.core.arithmetic;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Scales of attention, pool and logits. */
class ScalesTest {

  @Test
  void theRootOfEveryHeadWidthIsCorrectlyRounded() {
    MathContext digits = new MathContext(40);
    for (int d = 1; d <= 2048; d++) {
      float exact = BigDecimal.ONE.divide(new BigDecimal(d).sqrt(digits), digits).floatValue();
      assertThat(AttentionScales.scores(1f, d)).isEqualTo(exact);
    }
  }

  @Test
  void theSquareIsRoundedFirst() {
    float s = 0.0213f;
    float square = s * s;
    assertThat(AttentionScales.scores(s, 48)).isEqualTo(square * (float) (1 / Math.sqrt(48)));
    assertThat(AttentionScales.context(s, 16)).isEqualTo(s * 0x1p-15f);
    assertThat(AttentionScales.context(s, 8)).isEqualTo(s * 0x1p-7f);
  }

  @Test
  void thePoolRoundsOnce() {
    // (1 + 2 + 2)/3 at half the scale: 10/3; rounding the mean first would give 4.
    assertThat(Pooling.multiplier(0.1f, 3, 0.05f).apply(1 + 2 + 2)).isEqualTo(3);
    assertThat(Pooling.multiplier(1f, 1, 1f).apply(-128)).isEqualTo(-128);
    assertThat(Pooling.multiplier(1f, 1, 0.5f).apply(-128)).isEqualTo(-256);
    assertThat(Pooling.sumScale(0.1f, 49)).isEqualTo((float) ((double) 0.1f / 49));
  }

  @Test
  void logitsShareTheLargestScaleOverAllHeads() {
    assertThat(Logits.scale(new float[] {0.5f, 2f, 1f})).isEqualTo(2f / 64f);
    assertThat(Logits.scale(new float[] {0.5f, 2f}, new float[] {3f, 1f})).isEqualTo(3f / 64f);
  }

  @Test
  void tiesGoToTheLowerClass() {
    int[] logits = {99, 3, 7, 7, -5, 7, 3};
    assertThat(Logits.argMax(logits, 1, 6)).isEqualTo(1);
    assertThat(Logits.top(logits, 1, 6, 5)).containsExactly(1, 2, 4, 0, 5);
    assertThat(Logits.top(logits, 1, 3, 5)).containsExactly(1, 2, 0);
    assertThat(Logits.top(new int[] {Integer.MIN_VALUE}, 0, 1, 5)).containsExactly(0);
    assertThat(Logits.argMax(new int[] {Integer.MIN_VALUE, Integer.MIN_VALUE}, 0, 2)).isZero();
  }

  @Test
  void theBestOfTheTopIsTheArgMax() {
    Random random = new Random(6);
    for (int i = 0; i < 500; i++) {
      int[] logits = random.ints(1 + random.nextInt(20), -4, 4).toArray();
      int[] top = Logits.top(logits, 0, logits.length, logits.length);
      assertThat(top[0]).isEqualTo(Logits.argMax(logits, 0, logits.length));
      for (int j = 1; j < top.length; j++) {
        assertThat(
                logits[top[j - 1]] > logits[top[j]]
                    || (logits[top[j - 1]] == logits[top[j]] && top[j - 1] < top[j]))
            .isTrue();
      }
    }
  }
}
