package org.ivit.export.cli.option;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.ivit.core.InputException;

/** Checks of options, made before anything long starts. */
public final class Checks {
  private Checks() {}

  /**
   * @throws InputException if the value is too small
   */
  public static void atLeast(String option, int value, int least) {
    if (value < least) {
      throw new InputException(option + ": " + value + ", expected at least " + least);
    }
  }

  /**
   * @throws InputException if the value is too small or too large
   */
  public static void within(String option, int value, int least, int most) {
    if (value < least || value > most) {
      throw new InputException(
          "%s: %d, expected a number from %d to %d".formatted(option, value, least, most));
    }
  }

  /**
   * @throws InputException if the value is none of those
   */
  public static void oneOf(String option, String value, String... expected) {
    if (!List.of(expected).contains(value)) {
      throw new InputException(
          option + ": '" + value + "', expected one of " + String.join(", ", expected));
    }
  }

  /**
   * @throws InputException if the value is not above 0
   */
  public static void positive(String option, double value) {
    if (!(value > 0) || Double.isInfinite(value)) {
      throw new InputException(option + ": " + value + ", expected a number above 0");
    }
  }

  /**
   * @param path null where the option was not given
   * @throws InputException if there is nothing at the path
   */
  public static void exists(String option, Path path) {
    if (path != null && !Files.exists(path)) {
      throw new InputException(option + ": " + path + ": no such file or folder");
    }
  }

  /**
   * @param path null where the option was not given
   * @throws InputException if the path is no readable file
   */
  public static void file(String option, Path path) {
    exists(option, path);
    if (path == null) {
      return;
    }
    if (Files.isDirectory(path)) {
      throw new InputException(option + ": " + path + " is a folder, expected a file");
    }
    if (!Files.isReadable(path)) {
      throw new InputException(option + ": " + path + ": permission denied");
    }
  }

  /**
   * @param path null where the option was not given
   * @throws InputException if a file cannot be written there, as far as can be told before
   */
  public static void writable(String option, Path path) {
    if (path == null) {
      return;
    }
    if (Files.isDirectory(path)) {
      throw new InputException(option + ": " + path + " is a folder, expected a file to write");
    }
    Path folder = path.toAbsolutePath().getParent();
    if (folder == null || !Files.isDirectory(folder)) {
      throw new InputException(option + ": folder " + folder + " does not exist");
    }
    if (!Files.isWritable(folder)) {
      throw new InputException(option + ": folder " + folder + " is not writable");
    }
  }
}
