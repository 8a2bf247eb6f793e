package org.ivit.core.image;

import java.util.Locale;
import org.ivit.core.InputException;

/** What of a picture is resized before the square is cut, as timm's {@code crop_mode}. */
public enum CropMode {
  /** The shorter side becomes {@code resize}; proportions stay. */
  CENTER,
  /** Both sides become {@code resize}; proportions are lost. */
  SQUASH;

  /** The name in configurations and checkpoints: {@code center}, {@code squash}. */
  public String key() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * The mode of that name.
   *
   * @throws InputException if there is none
   */
  public static CropMode of(String key) {
    for (CropMode mode : values()) {
      if (mode.key().equals(key)) {
        return mode;
      }
    }
    throw new InputException("crop_mode: found '" + key + "', expected 'center' or 'squash'");
  }
}
