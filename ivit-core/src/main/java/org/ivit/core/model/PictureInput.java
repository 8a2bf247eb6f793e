package org.ivit.core.model;

import org.ivit.core.InputException;
import org.ivit.core.Size;
import org.ivit.core.arithmetic.PixelTable;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.image.EvaluationTransform;
import org.ivit.core.image.ImageDecoder;
import org.ivit.core.image.Preprocess;
import org.ivit.core.image.Rgb;

/** Makes input codes of a model, [3][height][width], of pictures of every form. */
final class PictureInput {
  private final Size size;
  private final float scale;
  private final long mostPixels;
  private final EvaluationTransform transform;
  private final PixelTable pixels;

  /**
   * @param preprocess of the model
   * @param scale of its input codes
   * @param mostPixels of an encoded picture
   */
  PictureInput(Preprocess preprocess, float scale, long mostPixels) {
    this.size = preprocess.crop();
    this.scale = scale;
    this.mostPixels = mostPixels;
    this.transform = new EvaluationTransform(preprocess);
    this.pixels = PixelTable.of(preprocess.mean(), preprocess.std(), scale);
  }

  void encoded(byte[] bytes, String name, byte[] codes, int to) {
    rgb(ImageDecoder.decode(bytes, name, mostPixels), codes, to);
  }

  void rgb(Rgb picture, byte[] codes, int to) {
    byte[] seen = transform.apply(picture).data();
    pixels.apply(seen, 0, codes, to, seen.length);
  }

  void transformed(Size found, byte[] rgb, int from, String name, byte[] codes, int to) {
    if (!found.equals(size)) {
      throw new InputException(
          "%s: found %sx%s pixels, expected %sx%s as the model sees them"
              .formatted(name, found.width(), found.height(), size.width(), size.height()));
    }
    pixels.apply(rgb, from, codes, to, 3 * size.area());
  }

  void normalised(float[] values, String name, byte[] codes, int to) {
    int expected = 3 * size.area();
    if (values.length != expected) {
      throw new InputException(
          "%s: found %s normalised values, expected %s of 3 channels of %sx%s pixels"
              .formatted(name, values.length, expected, size.width(), size.height()));
    }
    byte[] quantized = Quantizer.codes8(name, values, scale);
    System.arraycopy(quantized, 0, codes, to, quantized.length);
  }
}
