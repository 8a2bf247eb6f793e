package org.ivit.core.architecture;

/** What a network's answer to a picture is. */
public enum Answer {
  /** A logit a class. */
  CLASSES("classes"),
  /** A feature: a vector whose direction is compared with that of others. */
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
