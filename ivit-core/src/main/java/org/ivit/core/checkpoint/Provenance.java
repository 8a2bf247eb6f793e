package org.ivit.core.checkpoint;

import org.ivit.core.InputException;
import org.ivit.core.MessageText;

/**
 * Where a model comes from. What is not known is empty.
 *
 * @param source file name of the float weights
 * @param sourceSha256 their SHA-256, 64 lower-case hex digits
 * @param recipe the run's YAML as resolved
 * @param date when it was frozen, ISO 8601
 * @param version of the program that froze it
 * @param accuracy what was measured and on what, if anything was
 */
public record Provenance(
    String source,
    String sourceSha256,
    String recipe,
    String date,
    String version,
    String accuracy) {
  /** Nothing is known. */
  public static final Provenance UNKNOWN = new Provenance("", "", "", "", "", "");

  /**
   * Checks the digest's form.
   *
   * @throws InputException if it is neither empty nor a SHA-256
   */
  public Provenance {
    if (!sourceSha256.isEmpty() && !FileDigest.isDigest(sourceSha256)) {
      throw new InputException(
          "source_sha256 is %s, expected 64 lower-case hex digits"
              .formatted(MessageText.quote(sourceSha256)));
    }
  }
}
