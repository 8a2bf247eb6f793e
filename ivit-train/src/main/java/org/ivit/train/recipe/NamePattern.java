package org.ivit.train.recipe;

import java.util.regex.Pattern;

/** Names by pattern: {@code *} stands for any characters, {@code ?} for one. */
final class NamePattern {
  private NamePattern() {}

  static boolean matches(String pattern, String name) {
    StringBuilder regex = new StringBuilder();
    for (int i = 0; i < pattern.length(); i++) {
      char c = pattern.charAt(i);
      regex.append(c == '*' ? ".*" : c == '?' ? "." : Pattern.quote(String.valueOf(c)));
    }
    return name.matches(regex.toString());
  }
}
