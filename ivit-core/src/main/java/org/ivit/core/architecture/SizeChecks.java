package org.ivit.core.architecture;

import org.ivit.core.InputException;
import org.ivit.core.MessageText;

/** The checks of sizes that architectures share; each refusal names the architecture. */
final class SizeChecks {
  /** Far beyond every published model, and small enough that no product of two overflows. */
  private static final int LARGEST = 1 << 15;

  /** The exact softmax needs fewer than 2^16 tokens ({@code docs/arithmetic.md#softmax}). */
  private static final long MOST_TOKENS = (1 << 16) - 1;

  private final String name;

  SizeChecks(String name) {
    this.name = name;
  }

  void inRange(String key, int value) {
    if (value < 1 || value > LARGEST) {
      throw refused("%s is %d, expected 1 to %d".formatted(key, value, LARGEST));
    }
  }

  void epsilon(double epsilon) {
    if (!(epsilon >= 0 && epsilon < 1)) {
      throw refused("epsilon is " + epsilon + ", expected 0 to below 1");
    }
  }

  void multiple(String key, int value, String of, int divisor) {
    if (value % divisor != 0) {
      throw refused("%s is %d, expected a multiple of %s, %d".formatted(key, value, of, divisor));
    }
  }

  void rowOfScores(String where, long tokens) {
    if (tokens > MOST_TOKENS) {
      throw refused("%s %d tokens, expected at most %d".formatted(where, tokens, MOST_TOKENS));
    }
  }

  InputException refused(String reason) {
    return new InputException("architecture " + MessageText.quote(name) + ": " + reason);
  }
}
