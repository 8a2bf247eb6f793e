package org.ivit.core.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.ivit.core.InputException;

/** Reads text that a user brought. */
public final class TextFiles {
  private static final char MARK = '\ufeff';

  private TextFiles() {}

  /**
   * Reads a whole file.
   *
   * @param file in UTF-8; a byte order mark is left out
   * @param expected what the file should be, such as {@code a YAML recipe}
   * @throws InputException naming the file, if it cannot be read, and the line of a byte that is no
   *     UTF-8
   */
  public static String read(Path file, String expected) {
    if (Files.isDirectory(file)) {
      throw new InputException(file + ": is a folder, expected " + expected);
    }
    byte[] bytes;
    try {
      bytes = Files.readAllBytes(file);
    } catch (IOException e) {
      throw new InputException(
          file + ": cannot be read: " + FileFailures.reason(e) + ", expected " + expected, e);
    }
    ByteBuffer in = ByteBuffer.wrap(bytes);
    CharBuffer out = CharBuffer.allocate(bytes.length);
    CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
    CoderResult result = decoder.decode(in, out, true);
    if (result.isError()) {
      long line = 1 + out.flip().chars().filter(c -> c == '\n').count();
      throw new InputException(
          "%s: line %d: found byte 0x%02X, which is no UTF-8, expected %s"
              .formatted(file, line, bytes[in.position()], expected));
    }
    String text = out.flip().toString();
    return !text.isEmpty() && text.charAt(0) == MARK ? text.substring(1) : text;
  }
}
