package org.ivit.core.architecture;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;

/** What lies between the first and the last product of a block's MLP. */
public enum MlpForm {
  /** The activation function of one product. */
  PLAIN,
  /** SwiGLU: silu of one product, the gate, times another, the value. */
  SWIGLU,
  /** SwiGLU, then a norm (EVA-02). */
  SWIGLU_NORM;

  /** The name in descriptions. */
  @JsonValue
  public String key() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Whether two products meet in it. */
  public boolean gated() {
    return this != PLAIN;
  }
}
