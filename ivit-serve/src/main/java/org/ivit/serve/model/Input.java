package org.ivit.serve.model;

import org.ivit.core.image.Rgb;

/** A picture as a {@link Runner} takes it: of the model's size and checked. */
public sealed interface Input {
  /**
   * A picture to normalise.
   *
   * @param picture resized and cropped
   */
  record Pixels(Rgb picture) implements Input {}

  /**
   * A picture that was normalised already.
   *
   * @param values float32, [3][height][width], finite
   */
  record Normalised(float[] values) implements Input {}
}
