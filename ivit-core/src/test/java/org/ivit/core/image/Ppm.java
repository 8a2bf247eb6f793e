package org.ivit.core.image;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** Reads the binary PPM files in which Pillow left what it decoded. */
final class Ppm {
  private Ppm() {}

  static Rgb read(Path file) {
    try {
      byte[] bytes = Files.readAllBytes(file);
      int position = 0;
      for (int lines = 0; lines < 3; position++) {
        lines += bytes[position] == '\n' ? 1 : 0;
      }
      String[] header =
          new String(bytes, 0, position, StandardCharsets.US_ASCII).trim().split("\\s+", -1);
      return new Rgb(
          Integer.parseInt(header[1]),
          Integer.parseInt(header[2]),
          Arrays.copyOfRange(bytes, position, bytes.length));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
