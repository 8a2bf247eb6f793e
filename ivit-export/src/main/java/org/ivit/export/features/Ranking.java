package org.ivit.export.features;

import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/**
 * Classes in the order in which they answer a picture: by falling score, and of equal scores the
 * lower class first.
 *
 * @param classes from 0, the answer first; classes without a score are left out
 */
public record Ranking(int[] classes) {
  /**
   * Orders all classes.
   *
   * @param scores of each class, at least one
   */
  static Ranking of(double[] scores) {
    return of(scores, c -> true);
  }

  static Ranking of(double[] scores, IntPredicate scored) {
    return new Ranking(
        IntStream.range(0, scores.length)
            .filter(scored)
            .boxed()
            .sorted((a, b) -> Double.compare(scores[b], scores[a]))
            .mapToInt(Integer::intValue)
            .toArray());
  }

  /** The class that answers. */
  public int answer() {
    return classes[0];
  }

  /** How many classes come before this one: more than there are where it has no score. */
  public int rank(int label) {
    for (int i = 0; i < classes.length; i++) {
      if (classes[i] == label) {
        return i;
      }
    }
    return Integer.MAX_VALUE;
  }
}
