package org.ivit.serve.http;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import org.ivit.core.InputException;
import org.ivit.core.io.FileFailures;

/** A secret that clients must send; kept and compared as a digest, in time that tells nothing. */
public final class BearerToken {
  private static final String SCHEME = "Bearer ";
  private static final int SHORTEST = 16;

  private final byte[] digest;

  private BearerToken(byte[] digest) {
    this.digest = digest;
  }

  /**
   * A token.
   *
   * @param source what messages call it
   * @throws InputException if it is too short, or holds what a header cannot
   */
  public static BearerToken of(String token, String source) {
    if (token.length() < SHORTEST || !token.chars().allMatch(c -> c > ' ' && c < 0x7f)) {
      throw new InputException(
          "%s: found no token, expected at least %d characters of ASCII without spaces"
              .formatted(source, SHORTEST));
    }
    return new BearerToken(sha256(token));
  }

  /**
   * The token in a file, without what is white around it.
   *
   * @throws InputException if it cannot be read, or as {@link #of}
   */
  public static BearerToken read(Path file) {
    try {
      return of(Files.readString(file).strip(), file.toString());
    } catch (IOException e) {
      throw new InputException(file + ": cannot be read: " + FileFailures.reason(e), e);
    }
  }

  /** Whether a header {@code Authorization} bears it; null where there was none. */
  boolean isBorneBy(String header) {
    return header != null
        && header.regionMatches(true, 0, SCHEME, 0, SCHEME.length())
        && MessageDigest.isEqual(digest, sha256(header.substring(SCHEME.length()).strip()));
  }

  private static byte[] sha256(String text) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
