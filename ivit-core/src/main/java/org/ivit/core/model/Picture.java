package org.ivit.core.model;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Objects;
import org.ivit.core.Size;
import org.ivit.core.image.BufferedImages;
import org.ivit.core.image.ImageDecoder;
import org.ivit.core.image.Rgb;

/**
 * A picture for a model, of any form. Nothing is decoded before a model is asked, and nothing is
 * copied: who holds an array does not change it until then. May be used again, for other models
 * too.
 */
public final class Picture {
  /** Writes the input codes of the picture, [3][height][width] from {@code to} on. */
  interface Source {
    void codes(PictureInput input, String name, byte[] codes, int to);
  }

  private final String name;
  private final Source source;

  private Picture(String name, Source source) {
    this.name = name;
    this.source = source;
  }

  /**
   * A picture file: JPEG, PNG, WebP or BMP, told by its first bytes.
   *
   * @param file read when a model is asked
   */
  public static Picture of(Path file) {
    Objects.requireNonNull(file, "file");
    return new Picture(
        file.toString(),
        (input, name, codes, to) -> input.encoded(ImageDecoder.read(file), name, codes, to));
  }

  /**
   * The bytes of a picture file.
   *
   * @param encoded as {@link #of(Path)}
   */
  public static Picture of(byte[] encoded) {
    Objects.requireNonNull(encoded, "encoded");
    return unnamed((input, name, codes, to) -> input.encoded(encoded, name, codes, to));
  }

  /**
   * What a stream gives, as {@link #of(byte[])}. Read at once to its end, and not closed.
   *
   * @throws IOException if it cannot be read
   */
  public static Picture of(InputStream encoded) throws IOException {
    return of(encoded.readAllBytes());
  }

  /**
   * A picture of Java's own libraries. Alpha is left out. Java decodes JPEG files to other colours
   * than {@link #of(Path)} does, by a level or two; where integers are compared, give the file.
   *
   * @param image of any type
   */
  public static Picture of(BufferedImage image) {
    Objects.requireNonNull(image, "image");
    return unnamed((input, name, codes, to) -> input.rgb(BufferedImages.rgb(image), codes, to));
  }

  /**
   * Pixels, of any size: the model's transform resizes and crops them.
   *
   * @param pixels 8-bit RGB
   */
  public static Picture of(Rgb pixels) {
    Objects.requireNonNull(pixels, "pixels");
    return unnamed((input, name, codes, to) -> input.rgb(pixels, codes, to));
  }

  /**
   * Pixels that were resized and cropped already: they are only normalised and quantized.
   *
   * @param pixels 8-bit RGB of the size {@link ModelInfo#inputSize}; of another size they are
   *     refused when a model is asked
   */
  public static Picture transformed(Rgb pixels) {
    Objects.requireNonNull(pixels, "pixels");
    return transformed(new Size(pixels.height(), pixels.width()), pixels.data(), 0);
  }

  /**
   * As {@link #transformed(Rgb)}, of pixels that lie in a longer array, such as a message.
   *
   * @param size height and width
   * @param rgb 8-bit RGB, [height][width][3] from {@code from} on
   * @throws IndexOutOfBoundsException if the array ends before they do
   */
  public static Picture transformed(Size size, byte[] rgb, int from) {
    Objects.checkFromIndexSize(from, Math.multiplyExact(3, size.area()), rgb.length);
    return unnamed((input, name, codes, to) -> input.transformed(size, rgb, from, name, codes, to));
  }

  /**
   * Numbers that were normalised already: they are only quantized, to the nearest code, ties to
   * even, saturated ({@code docs/arithmetic.md#from-float-to-codes}). Those of {@link
   * org.ivit.core.image.Normalisation} give the codes of the pixels.
   *
   * @param values float32, [3][height][width] of the size {@link ModelInfo#inputSize}; another
   *     number of them or one that is not finite is refused when a model is asked
   */
  public static Picture normalised(float[] values) {
    Objects.requireNonNull(values, "values");
    return unnamed((input, name, codes, to) -> input.normalised(values, name, codes, to));
  }

  private static Picture unnamed(Source source) {
    return new Picture(null, source);
  }

  /**
   * The same with a name.
   *
   * @param title what messages call it, in place of its file or of its place in a list
   */
  public Picture named(String title) {
    return new Picture(Objects.requireNonNull(title, "title"), source);
  }

  /**
   * Writes the input codes.
   *
   * @param otherwise what messages call it where it has no name
   */
  void codes(PictureInput input, String otherwise, byte[] codes, int to) {
    source.codes(input, name == null ? otherwise : name, codes, to);
  }
}
