package org.ivit.core.io;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.stream.Stream;
import org.ivit.core.InputException;

/** SHA-256 of files and of lists, as 64 lower-case hexadecimal digits. */
public final class Digests {
  private Digests() {}

  /**
   * The digest of a file.
   *
   * @throws InputException if it cannot be read
   */
  public static String file(Path file) {
    MessageDigest digest = sha256();
    try (InputStream in = Files.newInputStream(file)) {
      byte[] buffer = new byte[1 << 16];
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        digest.update(buffer, 0, n);
      }
    } catch (IOException e) {
      throw new InputException(file + ": cannot be read: " + FileFailures.reason(e), e);
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  /** The digest of lines of text: each in UTF-8 with a line feed after it, in order. */
  public static String lines(Stream<String> lines) {
    MessageDigest digest = sha256();
    lines.forEachOrdered(line -> digest.update((line + "\n").getBytes(StandardCharsets.UTF_8)));
    return HexFormat.of().formatHex(digest.digest());
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
