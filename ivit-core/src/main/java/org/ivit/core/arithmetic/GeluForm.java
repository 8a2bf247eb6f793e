package org.ivit.core.arithmetic;

import java.util.Locale;
import org.ivit.core.InputException;

/** How GELU is computed from 8-bit codes. */
public enum GeluForm {
  /** ShiftGELU of the paper, stabilised by the maximum of the whole row. */
  ROW,
  /** ShiftGELU stabilised by each element alone, which makes it a table of 256 codes. */
  ELEMENT,
  /** The rounded erf form, a table of 256 codes. */
  EXACT,
  /** The rounded erf form in {@link AsymmetricGelu asymmetric codes}, a table of 256 codes. */
  ASYMMETRIC;

  /** Whether the values before rounding are those of the erf form. */
  public boolean isErf() {
    return this == EXACT || this == ASYMMETRIC;
  }

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
  public static GeluForm parse(String key) {
    for (GeluForm form : values()) {
      if (form.key().equals(key)) {
        return form;
      }
    }
    throw new InputException("GELU form '" + key + "': expected row, element, exact or asymmetric");
  }
}
