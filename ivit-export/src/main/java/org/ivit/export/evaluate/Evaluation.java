package org.ivit.export.evaluate;

import java.util.List;
import org.ivit.export.features.Ranking;
import org.ivit.export.model.Logits;

/**
 * The accuracy of a model on labelled pictures.
 *
 * @param top1 pictures whose label has the largest logit
 * @param top5 pictures whose label is among the five largest logits
 */
public record Evaluation(Proportion top1, Proportion top5) {
  /**
   * Counts the right answers.
   *
   * @param labels the class of each picture, 0 ≤ label &lt; classes
   */
  public static Evaluation of(Logits logits, int[] labels) {
    requireLabels(logits, labels);
    int first = 0;
    int five = 0;
    for (int i = 0; i < labels.length; i++) {
      int rank = logits.rank(i, labels[i]);
      first += rank == 0 ? 1 : 0;
      five += rank < 5 ? 1 : 0;
    }
    return new Evaluation(
        new Proportion(first, labels.length), new Proportion(five, labels.length));
  }

  /**
   * Counts the right answers.
   *
   * @param rankings of each picture
   * @param labels the class of each picture
   */
  public static Evaluation of(List<Ranking> rankings, int[] labels) {
    int first = 0;
    int five = 0;
    for (int i = 0; i < labels.length; i++) {
      int rank = rankings.get(i).rank(labels[i]);
      first += rank == 0 ? 1 : 0;
      five += rank < 5 ? 1 : 0;
    }
    return new Evaluation(
        new Proportion(first, labels.length), new Proportion(five, labels.length));
  }

  /** Number of pictures. */
  public int images() {
    return top1.total();
  }

  static void requireLabels(Logits logits, int[] labels) {
    if (logits.images() != labels.length) {
      throw new IllegalArgumentException(
          labels.length + " labels for the logits of " + logits.images() + " pictures");
    }
    for (int label : labels) {
      if (label < 0 || label >= logits.classes()) {
        throw new IllegalArgumentException("label " + label + " of " + logits.classes());
      }
    }
  }
}
