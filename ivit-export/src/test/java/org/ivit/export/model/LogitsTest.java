package org.ivit.export.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Comparator;
import java.util.Random;
import java.util.stream.IntStream;
import org.ivit.core.InputException;
import org.junit.jupiter.api.Test;

class LogitsTest {
  @Test
  void tiesGoToTheLowerClass() {
    Logits logits = Logits.ofCodes(new int[] {3, 7, 7, 1, 7, 7, 7, 7}, 0.5f, 8);
    assertThat(logits.answer(0)).isEqualTo(1);
    assertThat(logits.rank(0, 1)).isZero();
    assertThat(logits.rank(0, 2)).isEqualTo(1);
    assertThat(logits.rank(0, 7)).isEqualTo(5);
    assertThat(logits.rank(0, 0)).isEqualTo(6);
    assertThat(logits.top(0, 5)).containsExactly(1, 2, 4, 5, 6);
  }

  @Test
  void integersAreComparedAsIntegers() {
    // Both round to the same float32, and to the same product with a float32 scale.
    int[] codes = {Integer.MAX_VALUE - 1, Integer.MAX_VALUE, Integer.MIN_VALUE};
    Logits logits = Logits.ofCodes(codes, 1e-3f, 3);
    assertThat(logits.answer(0)).isEqualTo(1);
    assertThat(logits.rank(0, 2)).isEqualTo(2);
  }

  @Test
  void zeroHasNoSign() {
    assertThat(Logits.ofValues(new float[] {-0f, 0f}, 2).answer(0)).isZero();
  }

  @Test
  void topIsTheStableSort() {
    Random random = new Random(5);
    for (int round = 0; round < 200; round++) {
      int classes = 1 + random.nextInt(12);
      int[] codes = random.ints(classes, 0, 6).toArray();
      int[] expected =
          IntStream.range(0, classes)
              .boxed()
              .sorted(Comparator.comparingInt((Integer c) -> -codes[c]))
              .mapToInt(Integer::intValue)
              .toArray();
      Logits logits = Logits.ofCodes(codes, 1, classes);
      assertThat(logits.top(0, classes)).containsExactly(expected);
      assertThat(logits.top(0, 5)).containsExactly(Arrays.copyOf(expected, Math.min(5, classes)));
      assertThat(logits.answer(0)).isEqualTo(expected[0]);
      for (int r = 0; r < classes; r++) {
        assertThat(logits.rank(0, expected[r])).isEqualTo(r);
      }
    }
  }

  @Test
  void softmaxSurvivesLargeLogits() {
    Logits logits = Logits.ofValues(new float[] {0, 10000, 10000, -10000, 0, 0, 0, 0}, 4);
    assertThat(logits.softmax(0)).containsExactly(new double[] {0, 0.5, 0.5, 0}, within(1e-12));
    assertThat(logits.softmax(1)).containsExactly(new double[] {.25, .25, .25, .25}, within(1e-12));
    assertThat(Logits.ofCodes(new int[] {2, 4}, 0.5f, 2).softmax(0))
        .containsExactly(
            new double[] {1 / (1 + Math.exp(1)), 1 / (1 + Math.exp(-1))}, within(1e-12));
  }

  @Test
  void refusesNumbersThatAreNotFinite() {
    assertThatThrownBy(() -> Logits.ofValues(new float[] {0, 1, 2, Float.NaN}, 2))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("picture 1")
        .hasMessageContaining("NaN")
        .hasMessageContaining("class 1");
  }
}
