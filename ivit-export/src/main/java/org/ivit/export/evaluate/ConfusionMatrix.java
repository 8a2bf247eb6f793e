package org.ivit.export.evaluate;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.IntUnaryOperator;
import org.ivit.export.model.Logits;

/** How often pictures of each class were given each answer. */
public final class ConfusionMatrix {
  private final int classes;
  private final int[] counts;

  private ConfusionMatrix(int classes, int[] counts) {
    this.classes = classes;
    this.counts = counts;
  }

  /**
   * One answer that is wrong, and how often it was given.
   *
   * @param label the class of the pictures
   * @param answer what the model said
   */
  public record Confusion(int label, int answer, int count) {}

  /** Counts the answers of all pictures. */
  public static ConfusionMatrix of(Logits logits, int[] labels) {
    return of(logits.classes(), labels, logits::answer);
  }

  /**
   * Counts the answers of all pictures.
   *
   * @param answers the class that each picture was answered with
   */
  public static ConfusionMatrix of(int classes, int[] labels, IntUnaryOperator answers) {
    int[] counts = new int[Math.multiplyExact(classes, classes)];
    for (int i = 0; i < labels.length; i++) {
      counts[labels[i] * classes + answers.applyAsInt(i)]++;
    }
    return new ConfusionMatrix(classes, counts);
  }

  /** Number of classes. */
  public int classes() {
    return classes;
  }

  /** Pictures of class {@code label} that were answered with {@code answer}. */
  public int count(int label, int answer) {
    return counts[label * classes + answer];
  }

  /** Pictures of class {@code label}. */
  public int total(int label) {
    int sum = 0;
    for (int answer = 0; answer < classes; answer++) {
      sum += count(label, answer);
    }
    return sum;
  }

  /** The most frequent wrong answers, at most {@code limit}; ties in order of the classes. */
  public List<Confusion> worst(int limit) {
    List<Confusion> wrong = new ArrayList<>();
    for (int label = 0; label < classes; label++) {
      for (int answer = 0; answer < classes; answer++) {
        if (label != answer && count(label, answer) > 0) {
          wrong.add(new Confusion(label, answer, count(label, answer)));
        }
      }
    }
    wrong.sort(Comparator.comparingInt(Confusion::count).reversed());
    return List.copyOf(wrong.subList(0, Math.min(limit, wrong.size())));
  }
}
