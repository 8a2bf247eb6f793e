package org.ivit.serve.model;

import java.util.Arrays;
import org.ivit.core.Size;
import org.ivit.core.image.Rgb;

/** A picture as a {@link Runner} takes it: of the model's size and checked. */
public sealed interface Input {
  /**
   * A picture to normalise, resized and cropped.
   *
   * @param size height and width
   * @param rgb 8-bit RGB, [height][width][3] from {@code from} on; held, not copied
   */
  record Pixels(Size size, byte[] rgb, int from) implements Input {
    /** The whole of a picture. */
    static Pixels of(Rgb picture) {
      return new Pixels(new Size(picture.height(), picture.width()), picture.data(), 0);
    }

    /** The picture on its own. */
    Rgb picture() {
      int length = 3 * size.area();
      return new Rgb(
          size.width(),
          size.height(),
          rgb.length == length ? rgb : Arrays.copyOfRange(rgb, from, from + length));
    }
  }

  /**
   * A picture that was normalised already.
   *
   * @param values float32, [3][height][width], finite
   */
  record Normalised(float[] values) implements Input {}
}
