package org.ivit.export.features;

import java.util.List;

/**
 * The class of a picture by a vote of its nearest neighbours, as DINO and DINOv2 evaluate features:
 * each neighbour votes for its class with weight {@code exp(cosine / temperature)}.
 *
 * @param temperature above 0; 0.07 there
 */
public record NeighbourVote(double temperature) {
  /** Checks the temperature. */
  public NeighbourVote {
    if (!(temperature > 0) || Double.isInfinite(temperature)) {
      throw new IllegalArgumentException("temperature " + temperature);
    }
  }

  /**
   * Counts the votes.
   *
   * @param neighbours at least one, the nearest first
   * @param labels the class of each row of the gallery
   * @param classes how many there are
   * @return classes that got votes, the most first, the lower class where votes are equal
   */
  public Ranking of(List<Neighbour> neighbours, int[] labels, int classes) {
    double nearest = neighbours.get(0).cosine();
    double[] votes = new double[classes];
    boolean[] voted = new boolean[classes];
    for (Neighbour neighbour : neighbours) {
      int label = labels[neighbour.row()];
      // The nearest has weight 1: a small temperature overflows nothing, and order is the same.
      votes[label] += Math.exp((neighbour.cosine() - nearest) / temperature);
      voted[label] = true;
    }
    return Ranking.of(votes, c -> voted[c]);
  }
}
