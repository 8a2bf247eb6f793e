package org.ivit.core.weight;

import java.util.Locale;
import org.ivit.core.InputException;

/** How an index of fewer bits becomes an 8-bit code. */
public enum WeightCoding {
  /** An output channel has a table of codes. */
  TABLE,
  /** Consecutive inputs share a small integer that multiplies their indices. */
  GROUP,
  /** The index is the code. */
  UNIFORM;

  /** The name in recipes and checkpoints: its own in lower case. */
  public String key() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * @param key a name as {@link #key()} writes it
   * @throws InputException if there is no such coding
   */
  public static WeightCoding parse(String key) {
    for (WeightCoding coding : values()) {
      if (coding.key().equals(key)) {
        return coding;
      }
    }
    throw new InputException(
        "weight codes '" + key + "': unknown, expected table, group or uniform");
  }
}
