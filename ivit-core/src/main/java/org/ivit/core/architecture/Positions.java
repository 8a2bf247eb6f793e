package org.ivit.core.architecture;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;

/** Which tokens of a stem have a learned position embedding. */
public enum Positions {
  /** All, leading tokens too. */
  ALL,
  /** The patches; leading tokens have none (timm's {@code no_embed_class}). */
  PATCHES,
  /** None: the blocks know of positions. */
  NONE;

  /** The name in descriptions. */
  @JsonValue
  public String key() {
    return name().toLowerCase(Locale.ROOT);
  }
}
