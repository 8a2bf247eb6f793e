package org.ivit.core.arithmetic;

import java.util.Locale;
import org.ivit.core.InputException;

/** How the table of exponentials of a softmax is made. */
public enum SoftmaxForm {
  /** Shiftmax of the paper: powers of two by shifts. */
  SHIFT,
  /** Rounded true exponentials. */
  EXACT,
  /**
   * Rounded true exponentials of 8 bits, whose sum is divided out of the context: the probabilities
   * of a flat row keep all their bits.
   */
  DEFERRED;

  /** The form's name in recipes and checkpoints: its own in lower case. */
  public String key() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * The form of a name.
   *
   * @param key a name as {@link #key()} writes it
   * @throws InputException if there is no such form
   */
  public static SoftmaxForm parse(String key) {
    for (SoftmaxForm form : values()) {
      if (form.key().equals(key)) {
        return form;
      }
    }
    throw new InputException("softmax form '" + key + "': expected shift, exact or deferred");
  }
}
