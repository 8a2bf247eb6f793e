package org.ivit.core.image;

import java.util.Locale;
import org.ivit.core.InputException;

/** The filter of a resampling, with Pillow's definitions. */
public enum Interpolation {
  /** Triangle filter, support 1. */
  BILINEAR(1.0),
  /** Cubic convolution with a = −0.5, support 2. */
  BICUBIC(2.0);

  private final double support;

  Interpolation(double support) {
    this.support = support;
  }

  /** Half width of the filter in output pixels, before antialiasing widens it. */
  double support() {
    return support;
  }

  /** The filter's value at distance {@code x}, not normalised. */
  double weight(double x) {
    double d = x < 0 ? -x : x;
    if (this == BILINEAR) {
      return d < 1 ? 1 - d : 0;
    }
    if (d < 1) {
      return (1.5 * d - 2.5) * d * d + 1;
    }
    return d < 2 ? (((d - 5) * d + 8) * d - 4) * -0.5 : 0;
  }

  /** The name in configurations and checkpoints: {@code bilinear}, {@code bicubic}. */
  public String key() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * The filter of that name.
   *
   * @throws InputException if there is none
   */
  public static Interpolation of(String key) {
    for (Interpolation interpolation : values()) {
      if (interpolation.key().equals(key)) {
        return interpolation;
      }
    }
    throw new InputException(
        "interpolation: found '" + key + "', expected 'bilinear' or 'bicubic'");
  }
}
