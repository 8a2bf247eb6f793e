package org.ivit.export.cli.console;

import java.util.Arrays;
import java.util.stream.Collectors;
import org.ivit.core.ShellWord;

/** The command that comes next, as a user can type it into a POSIX shell. */
public final class NextCommand {
  private NextCommand() {}

  /**
   * @param words after {@code ivit}; those in capitals stand for what the user puts in
   * @return {@code next: scripts/ivit WORDS}
   */
  public static String of(Object... words) {
    return Arrays.stream(words)
        .map(word -> ShellWord.of(word.toString()))
        .collect(Collectors.joining(" ", "next: scripts/ivit ", ""));
  }
}
