package org.ivit.core;

import com.fasterxml.jackson.core.JacksonException;
import java.util.Collection;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Puts text that comes from a file into a message of one line and bounded length. */
public final class MessageText {
  private static final int LONGEST = 120;
  private static final int MOST = 10;

  private static final Pattern SOURCE =
      Pattern.compile("\\[Source: [^\\]]*?line: (\\d+), column: \\d+\\]");

  private MessageText() {}

  /**
   * A name as it is, or in quotes where it is empty, long or not plain.
   *
   * @param name a name as a file has it
   */
  public static String quote(String name) {
    boolean plain =
        !name.isEmpty()
            && name.length() <= LONGEST
            && name.chars().allMatch(c -> c > ' ' && c != '"' && c < 0x7f);
    return plain ? name : '"' + line(name) + '"';
  }

  /**
   * Text without line breaks or control characters, cut where it is long.
   *
   * @param text any text
   */
  public static String line(String text) {
    StringBuilder line = new StringBuilder();
    text.codePoints().limit(LONGEST).forEach(c -> line.appendCodePoint(printable(c) ? c : '?'));
    return text.codePointCount(0, text.length()) > LONGEST ? line + "..." : line.toString();
  }

  /**
   * What a JSON parser found wrong, without what it says of its own source.
   *
   * @param e what it threw
   */
  public static String problem(JacksonException e) {
    return line(SOURCE.matcher(e.getOriginalMessage()).replaceAll("line $1"));
  }

  /**
   * Up to ten items, then how many more there are.
   *
   * @param items what to enumerate, already fit for a message
   */
  public static String list(Collection<String> items) {
    String first = items.stream().limit(MOST).collect(Collectors.joining(", "));
    return items.size() > MOST ? first + " and " + (items.size() - MOST) + " more" : first;
  }

  private static boolean printable(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.SURROGATE,
          Character.UNASSIGNED ->
          false;
      default -> true;
    };
  }
}
