package org.ivit.export.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.ivit.export.model.Logits;
import org.junit.jupiter.api.Test;

class EvaluationTest {
  @Test
  void countsTopOneAndTopFive() {
    int[] codes = {
      9, 8, 7, 6, 5, 4, //
      9, 8, 7, 6, 5, 4, //
      9, 8, 7, 6, 5, 4, //
      1, 1, 1, 1, 1, 1
    };
    Logits logits = Logits.ofCodes(codes, 1, 6);
    Evaluation evaluation = Evaluation.of(logits, new int[] {0, 4, 5, 4});
    assertThat(evaluation.images()).isEqualTo(4);
    assertThat(evaluation.top1().count()).isEqualTo(1);
    assertThat(evaluation.top5().count()).isEqualTo(3);
    assertThat(evaluation.top1().fraction()).isEqualTo(0.25);
  }

  @Test
  void withFewerThanFiveClassesTopFiveIsEverything() {
    Evaluation evaluation = Evaluation.of(Logits.ofValues(new float[] {1, 2, 3}, 3), new int[] {0});
    assertThat(evaluation.top5().count()).isEqualTo(1);
    assertThat(evaluation.top1().count()).isZero();
  }

  @Test
  void refusesLabelsThatDoNotFit() {
    Logits logits = Logits.ofCodes(new int[] {1, 2, 3, 4}, 1, 2);
    assertThatThrownBy(() -> Evaluation.of(logits, new int[] {0}))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Evaluation.of(logits, new int[] {0, 2}))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void wilsonIntervals() {
    // Newcombe (1998), table I: 81 of 263 and 0 of 20.
    Proportion p = new Proportion(81, 263);
    assertThat(p.low()).isCloseTo(0.2553, within(5e-5));
    assertThat(p.high()).isCloseTo(0.3662, within(5e-5));
    Proportion none = new Proportion(0, 20);
    assertThat(none.low()).isZero();
    assertThat(none.high()).isCloseTo(0.1611, within(5e-5));
    Proportion all = new Proportion(20, 20);
    assertThat(all.low()).isCloseTo(1 - 0.1611, within(5e-5));
    assertThat(all.high()).isEqualTo(1);
    assertThatThrownBy(() -> new Proportion(3, 2)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Proportion(0, 0)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void confusions() {
    int[] codes = {1, 0, 0, /**/ 1, 0, 0, /**/ 0, 1, 0, /**/ 0, 0, 1, /**/ 1, 0, 0};
    ConfusionMatrix matrix =
        ConfusionMatrix.of(Logits.ofCodes(codes, 1, 3), new int[] {0, 1, 1, 1, 1});
    assertThat(matrix.count(0, 0)).isEqualTo(1);
    assertThat(matrix.count(1, 0)).isEqualTo(2);
    assertThat(matrix.count(1, 1)).isEqualTo(1);
    assertThat(matrix.count(1, 2)).isEqualTo(1);
    assertThat(matrix.total(1)).isEqualTo(4);
    assertThat(matrix.total(2)).isZero();
    assertThat(matrix.worst(5))
        .containsExactly(
            new ConfusionMatrix.Confusion(1, 0, 2), new ConfusionMatrix.Confusion(1, 2, 1));
    assertThat(matrix.worst(1)).containsExactly(new ConfusionMatrix.Confusion(1, 0, 2));
  }
}
