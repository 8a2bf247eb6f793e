package org.ivit.core.image;

import java.io.EOFException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.ivit.core.InputException;
import org.ivit.core.io.FileFailures;

/**
 * Decodes JPEG, PNG, WebP and BMP files to RGB as Pillow's {@code Image.open(file).convert("RGB")}
 * does: alpha is dropped without blending, CMYK is converted by the plain formula, and embedded
 * colour profiles, gamma and the EXIF orientation are ignored. The format is told by the first
 * bytes, not by the name.
 */
public final class ImageDecoder {
  /** Pillow's limit: above it a header is taken for a decompression bomb. */
  public static final long MAX_PIXELS = 178_956_970L;

  private ImageDecoder() {}

  /**
   * Decodes a file.
   *
   * @throws InputException naming the file, if it cannot be read, is of another format, or is
   *     corrupt or truncated
   */
  public static Rgb decode(Path file) {
    return decode(read(file), file.toString());
  }

  /**
   * The bytes of a picture file.
   *
   * @throws InputException naming the file, if it cannot be read
   */
  public static byte[] read(Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (NoSuchFileException e) {
      throw new InputException(file + ": no such picture", e);
    } catch (IOException e) {
      throw new InputException(file + ": cannot be read: " + FileFailures.reason(e), e);
    }
  }

  /**
   * Decodes the bytes of a file.
   *
   * @param name what messages call it
   * @throws InputException as for a file
   */
  public static Rgb decode(byte[] bytes, String name) {
    return decode(bytes, name, MAX_PIXELS);
  }

  /**
   * Decodes the bytes of a file unless its header claims more than is wanted; then no pixel is
   * decoded.
   *
   * @param name what messages call it
   * @param mostPixels width times height at most, up to {@link #MAX_PIXELS}
   * @throws InputException as for a file, and for a larger picture
   */
  public static Rgb decode(byte[] bytes, String name, long mostPixels) {
    if (bytes.length == 0) {
      throw new InputException(name + ": the picture file is empty");
    }
    try {
      if (JpegDecoder.matches(bytes)) {
        return JpegDecoder.decode(bytes, mostPixels);
      }
      if (PngDecoder.matches(bytes)) {
        return PngDecoder.decode(bytes, mostPixels);
      }
      if (WebpDecoder.matches(bytes)) {
        return WebpDecoder.decode(bytes, mostPixels);
      }
      if (BmpDecoder.matches(bytes)) {
        return BmpDecoder.decode(bytes, mostPixels);
      }
    } catch (TooLargeException e) {
      throw new InputException(name + ": " + e.getMessage(), e);
    } catch (IOException | RuntimeException e) {
      // The JDK's readers answer some damage with unchecked exceptions.
      String reason = e.getMessage();
      if (reason == null) {
        reason =
            e instanceof EOFException
                ? "the data ends before the picture"
                : e.getClass().getSimpleName();
      }
      throw new InputException(name + ": corrupt picture: " + reason, e);
    }
    throw new InputException(name + ": found no JPEG, PNG, WebP or BMP file");
  }

  /** Checks the size that a header claims before anything is allocated. */
  static void checkSize(long width, long height, long mostPixels) throws IOException {
    if (width < 1 || height < 1 || width * height > MAX_PIXELS) {
      throw new IOException(
          "its header claims %sx%s pixels, expected 1 to %s in all"
              .formatted(width, height, MAX_PIXELS));
    }
    if (width * height > mostPixels) {
      throw new TooLargeException(
          "found a picture of %sx%s pixels, expected at most %s in all"
              .formatted(width, height, mostPixels));
    }
  }

  /** A picture that may be sound and is larger than wanted. */
  private static final class TooLargeException extends IOException {
    private static final long serialVersionUID = 1L;

    TooLargeException(String message) {
      super(message);
    }
  }
}
