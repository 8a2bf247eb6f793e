package org.ivit.core.model;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.ivit.core.arithmetic.Logits;

/** What a classifier answers to a picture. Equal logits are ordered by the index of the class. */
public final class Classification {
  private static final int SHOWN = 5;

  private final int[] logits;
  private final float scale;
  private final List<ClassLabel> classes;
  private final double[] probabilities;

  /**
   * A class and how likely it is.
   *
   * @param label which class
   * @param probability 0 to 1, of the softmax over all classes
   */
  public record Score(ClassLabel label, double probability) {
    /** Number of the class, from 0. */
    public int index() {
      return label.index();
    }

    /** Identifier of the class, such as a WordNet identifier; its name where it has none. */
    public String id() {
      return label.id();
    }

    /** Readable name of the class. */
    public String name() {
      return label.name();
    }
  }

  Classification(int[] logits, float scale, List<ClassLabel> classes) {
    this.logits = logits;
    this.scale = scale;
    this.classes = classes;
    this.probabilities = Logits.softmax(logits, 0, logits.length, scale);
  }

  /** The likeliest class. */
  public Score best() {
    return score(Logits.argMax(logits, 0, logits.length));
  }

  /**
   * The likeliest classes, best first.
   *
   * @param k how many, at least 1; fewer where there are not so many classes
   */
  public List<Score> top(int k) {
    if (k < 1) {
      throw new IllegalArgumentException("top " + k + ", expected at least 1");
    }
    return Arrays.stream(Logits.top(logits, 0, logits.length, k)).mapToObj(this::score).toList();
  }

  private Score score(int index) {
    return new Score(classes.get(index), probabilities[index]);
  }

  /** The softmax of the real logits, [classes] in their order, a copy. */
  public double[] probabilities() {
    return probabilities.clone();
  }

  /**
   * The logits as the engine computes them, [classes] int32 on the scale {@link #scale}, a copy.
   */
  public int[] logits() {
    return logits.clone();
  }

  /** What one of {@link #logits} is worth. */
  public float scale() {
    return scale;
  }

  /** The logits as real numbers, [classes] float32. */
  public float[] realLogits() {
    return Logits.real(logits, scale);
  }

  /** The five likeliest classes in a line. */
  @Override
  public String toString() {
    return top(SHOWN).stream()
        .map(s -> String.format(Locale.ROOT, "%s %.2f %%", s.name(), 100 * s.probability()))
        .collect(Collectors.joining("; "));
  }
}
