package org.ivit.core.architecture;

/** What a network's answer to a picture is. */
public enum Answer {
  /** A logit a class. */
  CLASSES,
  /** A feature: a vector whose direction is compared with that of others. */
  FEATURES
}
