package org.ivit.core;

import java.util.Collection;
import java.util.Optional;

/** Finds what was meant by a word that is not known: a command, an option, a key, a name. */
public final class Suggestion {
  private Suggestion() {}

  /**
   * A question for the end of a message.
   *
   * @param found what was typed
   * @param known what there is
   * @return {@code (did you mean WORD?)}, or an empty text where nothing is near
   */
  public static String of(String found, Collection<String> known) {
    return nearest(found, known).map(word -> " (did you mean " + word + "?)").orElse("");
  }

  /**
   * The known word that is nearest by edits, where it is near enough to be a slip: a third of the
   * letters at most, and fewer than the word has.
   *
   * @param found what was typed
   * @param known what there is
   */
  public static Optional<String> nearest(String found, Collection<String> known) {
    String nearest = null;
    int least = Integer.MAX_VALUE;
    for (String word : known) {
      int distance = distance(found, word);
      int most = Math.max(1, Math.max(found.length(), word.length()) / 3);
      if (distance < least && distance <= most && distance < word.length()) {
        nearest = word;
        least = distance;
      }
    }
    return Optional.ofNullable(nearest);
  }

  /**
   * Insertions, deletions, replacements and exchanges of neighbours that turn one word into the
   * other, case ignored (optimal string alignment).
   */
  static int distance(String a, String b) {
    int[] twoBack = new int[b.length() + 1];
    int[] back = new int[b.length() + 1];
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      back[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int replaced = back[j - 1] + (same(a, i - 1, b, j - 1) ? 0 : 1);
        row[j] = Math.min(replaced, 1 + Math.min(back[j], row[j - 1]));
        if (i > 1 && j > 1 && same(a, i - 1, b, j - 2) && same(a, i - 2, b, j - 1)) {
          row[j] = Math.min(row[j], twoBack[j - 2] + 1);
        }
      }
      int[] free = twoBack;
      twoBack = back;
      back = row;
      row = free;
    }
    return back[b.length()];
  }

  private static boolean same(String a, int i, String b, int j) {
    return Character.toLowerCase(a.charAt(i)) == Character.toLowerCase(b.charAt(j));
  }
}
