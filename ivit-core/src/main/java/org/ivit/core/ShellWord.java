package org.ivit.core;

/** Writes words of a command so that a user can type it into a POSIX shell. */
public final class ShellWord {
  private ShellWord() {}

  /**
   * A text as a shell takes it for one word: as it is where nothing of it has a meaning to a shell,
   * or in single quotes.
   *
   * @param text any text
   */
  public static String of(String text) {
    return text.matches("[\\p{L}\\p{N}_@%+=:,./-]+")
        ? text
        : "'" + text.replace("'", "'\\''") + "'";
  }
}
