package org.ivit.core.architecture;

import org.ivit.core.InputException;
import org.ivit.core.MessageText;
import org.ivit.core.Size;

/** The checks of sizes that architectures share; each refusal names the architecture. */
public final class SizeChecks {
  /** Far beyond every published model, and small enough that no product of two overflows. */
  private static final int LARGEST = 1 << 15;

  /** The exact softmax needs fewer than 2^16 tokens ({@code docs/arithmetic.md#softmax}). */
  private static final long MOST_TOKENS = (1 << 16) - 1;

  private final String name;

  /**
   * @param name of the architecture or part
   */
  public SizeChecks(String name) {
    this.name = name;
  }

  /** Requires 1 to 32,768. */
  public void inRange(String key, int value) {
    if (value < 1 || value > LARGEST) {
      throw refused("%s is %d, expected 1 to %d".formatted(key, value, LARGEST));
    }
  }

  /** Requires both sides in range. */
  public void inRange(String key, Size size) {
    inRange(key, size.height());
    inRange(key, size.width());
  }

  /** Requires an epsilon from 0 to below 1. */
  public void epsilon(double epsilon) {
    if (!(epsilon >= 0 && epsilon < 1)) {
      throw refused("epsilon is " + epsilon + ", expected 0 to below 1");
    }
  }

  /** Requires multiples on both sides. */
  public void multiple(String key, Size size, String of, int divisor) {
    multiple(key, size.height(), of, divisor);
    multiple(key, size.width(), of, divisor);
  }

  /** Requires that some tokens are left when leading ones are taken away. */
  public void leading(int leading, int tokens) {
    if (leading < 0 || leading >= tokens) {
      throw refused("%d leading tokens of %d, expected fewer".formatted(leading, tokens));
    }
  }

  /** Requires a multiple. */
  public void multiple(String key, int value, String of, int divisor) {
    if (value % divisor != 0) {
      throw refused("%s is %d, expected a multiple of %s, %d".formatted(key, value, of, divisor));
    }
  }

  /** Requires that a softmax over the tokens is exact. */
  public void rowOfScores(String where, long tokens) {
    if (tokens < 1 || tokens > MOST_TOKENS) {
      throw refused("%s %d tokens, expected 1 to %d".formatted(where, tokens, MOST_TOKENS));
    }
  }

  /** A refusal that names the architecture. */
  public InputException refused(String reason) {
    return new InputException("architecture " + MessageText.quote(name) + ": " + reason);
  }
}
