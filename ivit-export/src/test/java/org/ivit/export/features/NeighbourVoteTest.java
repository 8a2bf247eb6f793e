package org.ivit.export.features;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class NeighbourVoteTest {
  private static Ranking vote(double temperature, int[] labels, double... cosines) {
    List<Neighbour> neighbours =
        IntStream.range(0, cosines.length).mapToObj(i -> new Neighbour(i, cosines[i])).toList();
    return new NeighbourVote(temperature).of(neighbours, labels, 9);
  }

  @Test
  void theOnlyNeighbourDecides() {
    Ranking ranking = vote(0.07, new int[] {4}, -0.3);
    assertThat(ranking.classes()).containsExactly(4);
    assertThat(ranking.answer()).isEqualTo(4);
    assertThat(ranking.rank(4)).isZero();
    assertThat(ranking.rank(0)).isEqualTo(Integer.MAX_VALUE);
  }

  /**
   * exp(0.9/0.07) beats two of exp(0.84/0.07), as exp(0.06/0.07) = 2.36 is more than 2; not three.
   */
  @Test
  void votesHaveTheWeightOfTheCosine() {
    int[] labels = {1, 2, 2, 2};
    assertThat(vote(0.07, labels, 0.9, 0.84, 0.84).classes()).containsExactly(1, 2);
    assertThat(vote(0.07, labels, 0.9, 0.84, 0.84, 0.84).classes()).containsExactly(2, 1);
  }

  @Test
  void equalVotesGoToTheLowerClass() {
    assertThat(vote(0.07, new int[] {7, 3, 5}, 0.5, 0.5, 0.5).classes()).containsExactly(3, 5, 7);
    assertThat(vote(0.07, new int[] {0, 3, 0}, 0, 0, 0).classes()).containsExactly(0, 3);
  }

  /** exp(1/T) would be infinite, exp(−2/T) zero. */
  @Test
  void aSmallTemperatureLeavesTheNearest() {
    assertThat(vote(1e-6, new int[] {8, 2, 2, 2}, 1, 0.99, 0.99, -1).classes())
        .containsExactly(8, 2);
  }

  @Test
  void ranksAreThoseOfPlainWeights() {
    Random random = new Random(1);
    for (int test = 0; test < 200; test++) {
      double[] cosines = random.doubles(12, -1, 1).sorted().map(x -> -x).toArray();
      int[] labels = random.ints(12, 0, 9).toArray();
      double[] votes = new double[9];
      for (int i = 0; i < 12; i++) {
        votes[labels[i]] += Math.exp(cosines[i] / 0.2);
      }
      int[] order = vote(0.2, labels, cosines).classes();
      assertThat(order).hasSize((int) IntStream.of(labels).distinct().count());
      for (int i = 1; i < order.length; i++) {
        assertThat(votes[order[i - 1]]).isGreaterThanOrEqualTo(votes[order[i]] * (1 - 1e-12));
      }
    }
  }

  @Test
  void aTemperatureIsAboveZero() {
    assertThatThrownBy(() -> new NeighbourVote(0)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new NeighbourVote(Double.NaN))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
