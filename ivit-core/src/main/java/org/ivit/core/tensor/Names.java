package org.ivit.core.tensor;

import java.util.Arrays;

/** Puts text and shapes that come from a file into a message of one line and bounded length. */
final class Names {
  private static final int LONGEST = 120;

  private Names() {}

  /** A name as it is, or quoted and cut where it is empty, long or not printable. */
  static String quote(String name) {
    boolean plain =
        !name.isEmpty()
            && name.length() <= LONGEST
            && name.chars().allMatch(c -> c > ' ' && c != '"' && c != 0x7f && c < 0x80);
    return plain ? name : '"' + line(name) + '"';
  }

  /** Text without line breaks or control characters, cut where it is long. */
  static String line(String text) {
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < Math.min(text.length(), LONGEST); i++) {
      char c = text.charAt(i);
      boolean printable = c >= ' ' && c != 0x7f && !Character.isSurrogate(c) && c != 0x2028;
      line.append(printable ? c : '?');
    }
    return text.length() > LONGEST ? line + "..." : line.toString();
  }

  static String sizes(long[] sizes) {
    return line(Arrays.toString(sizes));
  }
}
