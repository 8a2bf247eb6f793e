package org.ivit.export.cli.console;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.ivit.core.architecture.Answer;
import org.ivit.core.io.Digests;
import org.ivit.core.io.FileFailures;

/** What {@code ivit export} says of a file that it wrote. */
public final class WrittenFile {
  private WrittenFile() {}

  /** A line of what it is, and the digest that {@code sha256sum} prints. */
  public static String describe(Path file, String what) {
    return String.format("%s: %s%nfile sha256 %s", file, what, Digests.file(file));
  }

  /**
   * The same of an integer checkpoint, which states a digest of its contents; and what is next.
   *
   * @param answer what the model answers with
   */
  public static String checkpoint(Path file, String more, String digest, Answer answer) {
    if (answer == Answer.FEATURES) {
      return String.join(
          System.lineSeparator(),
          describe(file, megabytes(file) + more),
          "digest      " + digest,
          NextCommand.of("embed", "--model", file, "--data", "DIR", "--output", "E.safetensors"),
          NextCommand.of("evaluate", "--model", file, "--data", "DIR", "--gallery", "DIR2"));
    }
    return String.join(
        System.lineSeparator(),
        describe(file, megabytes(file) + more),
        "digest      " + digest,
        NextCommand.of("evaluate", "--model", file, "--data", "DIR"),
        NextCommand.of("predict", "--model", file, "IMAGE"));
  }

  /** The size of a file, as {@code 6.10 MB}. */
  public static String megabytes(Path file) {
    try {
      return String.format(Locale.ROOT, "%.2f MB", Files.size(file) / 1e6);
    } catch (IOException e) {
      throw new UncheckedIOException(file + ": cannot be read: " + FileFailures.reason(e), e);
    }
  }
}
