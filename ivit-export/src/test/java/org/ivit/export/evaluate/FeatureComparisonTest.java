package org.ivit.export.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.stream.IntStream;
import org.ivit.core.InputException;
import org.ivit.export.features.Features;
import org.ivit.export.features.Neighbour;
import org.ivit.export.features.Ranking;
import org.junit.jupiter.api.Test;

class FeatureComparisonTest {
  private static Judgement judgement(int[] answers, int... nearest) {
    return new Judgement(
        IntStream.of(answers).mapToObj(c -> new Ranking(new int[] {c, 9})).toList(),
        IntStream.of(nearest).mapToObj(row -> List.of(new Neighbour(row, 0.5))).toList());
  }

  @Test
  void comparesPictureByPicture() {
    Features model = Features.ofCodes(new int[] {3, 0, 5, 5, 0, -2}, 0.5f, 2);
    Features reference = Features.ofValues(new float[] {7, 0, 1, 0, 0, -1}, 2);
    FeatureComparison alone = FeatureComparison.of(model, reference);
    double half = Math.sqrt(0.5);
    assertThat(FeatureComparison.cosines(model, reference)[0]).isEqualTo(1);
    assertThat(FeatureComparison.cosines(model, reference)[2]).isEqualTo(1);
    assertThat(alone.meanCosine()).isCloseTo((2 + half) / 3, within(1e-15));
    assertThat(alone.worstCosine()).isCloseTo(half, within(1e-15));
    assertThat(alone.worst()).isEqualTo(1);
    assertThat(alone.agreement()).isNull();
    assertThat(alone.nearest()).isNull();
    assertThat(alone.mcnemar()).isNull();
    FeatureComparison judged =
        FeatureComparison.of(
            model,
            judgement(new int[] {4, 1, 2}, 7, 8, 9),
            reference,
            judgement(new int[] {4, 5, 6}, 7, 8, 0),
            new int[] {4, 5, 2});
    assertThat(judged.agreement()).isEqualTo(new Proportion(1, 3));
    assertThat(judged.nearest()).isEqualTo(new Proportion(2, 3));
    assertThat(judged.mcnemar()).isEqualTo(McNemar.of(1, 1));
    assertThat(judged.worstCosine()).isEqualTo(alone.worstCosine());
  }

  @Test
  void accuracyCountsRanks() {
    List<Ranking> rankings =
        List.of(
            new Ranking(new int[] {1, 2, 3, 4, 5, 6}),
            new Ranking(new int[] {6, 5, 4, 3, 2, 1}),
            new Ranking(new int[] {0}));
    assertThat(Evaluation.of(rankings, new int[] {1, 2, 3}))
        .isEqualTo(new Evaluation(new Proportion(1, 3), new Proportion(2, 3)));
    assertThat(Evaluation.of(rankings, new int[] {6, 1, 0}))
        .isEqualTo(new Evaluation(new Proportion(1, 3), new Proportion(1, 3)));
  }

  @Test
  void refusesOtherWidths() {
    assertThatThrownBy(
            () ->
                FeatureComparison.of(
                    Features.ofCodes(new int[4], 1, 2), Features.ofCodes(new int[4], 1, 4)))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("features 4 wide, expected 2");
  }
}
