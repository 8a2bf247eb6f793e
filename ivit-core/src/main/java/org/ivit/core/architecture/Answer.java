package org.ivit.core.architecture;

/** What the numbers mean that a model answers a picture with. */
public enum Answer {
  /** A score for each class: the largest is the answer. */
  CLASSES("classes"),
  /** A feature vector: pictures that are alike have a large cosine. */
  FEATURES("features");

  private final String word;

  Answer(String word) {
    this.word = word;
  }

  /** As reports and JSON call it. */
  @Override
  public String toString() {
    return word;
  }
}
