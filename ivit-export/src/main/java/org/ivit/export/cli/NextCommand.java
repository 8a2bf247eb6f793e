package org.ivit.export.cli;

import java.util.Arrays;
import java.util.stream.Collectors;

/** The command that comes next, as a user can type it into a POSIX shell. */
public final class NextCommand {
  private NextCommand() {}

  /**
   * @param words after {@code ivit}; those in capitals stand for what the user puts in
   * @return {@code next: scripts/ivit WORDS}
   */
  public static String of(Object... words) {
    return Arrays.stream(words)
        .map(word -> quoted(word.toString()))
        .collect(Collectors.joining(" ", "next: scripts/ivit ", ""));
  }

  private static String quoted(String word) {
    return word.matches("[\\p{L}\\p{N}_@%+=:,./-]+")
        ? word
        : "'" + word.replace("'", "'\\''") + "'";
  }
}
