package org.ivit.serve.model;

import org.ivit.core.InputException;
import org.ivit.core.Size;
import org.ivit.core.image.EvaluationTransform;
import org.ivit.core.image.ImageDecoder;
import org.ivit.core.image.Preprocess;
import org.ivit.core.image.Rgb;

/** Makes the input of a model of what clients send; for any number of threads. */
public final class InputMaker {
  private final EvaluationTransform transform;
  private final Size size;
  private final long mostPixels;

  /**
   * An input, and how long it took.
   *
   * @param decodeNanos of the picture file
   * @param transformNanos of resizing and cropping
   */
  public record Made(Input input, long decodeNanos, long transformNanos) {}

  /**
   * @param preprocess of the model
   * @param mostPixels width times height that an encoded picture has at most
   */
  public InputMaker(Preprocess preprocess, long mostPixels) {
    this.transform = new EvaluationTransform(preprocess);
    this.size = preprocess.crop();
    this.mostPixels = mostPixels;
  }

  /**
   * Of a picture file.
   *
   * @param name what messages call it
   * @throws InputException if it is no usable picture, or a larger one; its header is looked at
   *     before a pixel is decoded
   */
  public Made encoded(byte[] bytes, String name) {
    long start = System.nanoTime();
    Rgb picture = ImageDecoder.decode(bytes, name, mostPixels);
    long decoded = System.nanoTime();
    Made made = decoded(picture);
    return new Made(made.input(), decoded - start, made.transformNanos());
  }

  /** Of a picture of any size. */
  public Made decoded(Rgb picture) {
    long start = System.nanoTime();
    Rgb seen = transform.apply(picture);
    return new Made(Input.Pixels.of(seen), 0, System.nanoTime() - start);
  }

  /**
   * Of a picture that was resized and cropped already.
   *
   * @param found height and width
   * @param rgb [height][width][3] from {@code from} on; held, not copied
   * @param name what messages call it
   * @throws InputException if it has not the model's size
   */
  public Made transformed(Size found, byte[] rgb, int from, String name) {
    if (!found.equals(size)) {
      throw new InputException(
          "%s: found %sx%s pixels, expected %sx%s as the model sees them"
              .formatted(name, found.width(), found.height(), size.width(), size.height()));
    }
    return new Made(new Input.Pixels(found, rgb, from), 0, 0);
  }

  /**
   * Of numbers that were normalised already.
   *
   * @param values [3][height][width] of the model's size, held, not copied
   * @param name what messages call it
   * @throws InputException if one is not finite
   */
  public Made normalised(float[] values, String name) {
    for (int i = 0; i < values.length; i++) {
      if (!Float.isFinite(values[i])) {
        throw new InputException(
            "%s: found %s as value %d, expected finite numbers".formatted(name, values[i], i));
      }
    }
    return new Made(new Input.Normalised(values), 0, 0);
  }
}
