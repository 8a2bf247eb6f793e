package org.ivit.core.arithmetic;

import java.util.Arrays;
import org.ivit.core.InputException;

/**
 * All that an engine knows of a softmax: the exponentials of the distances to the row's maximum.
 *
 * <p>sum = ΣE, factor = floor((2^31−1)/sum), p = min((E·factor + H) >> (32−b), 2^(b−1)−1), with
 * scale 2^(1−b). Everything fits 32 unsigned bits.
 *
 * <p>Form {@code deferred}: p = E, of 8 unsigned bits, and what P·V gives is divided by the row's
 * sum: y = (acc·factor + 2^15) >> 16, which has the scale that 16-bit probabilities would give it.
 *
 * @param exponentials [257]: E[d] for d = rowmax − x in 0…255, and E[256] of a masked score; not
 *     copied
 * @param rounding H: 2^(31−b) in form {@code exact}, else 0
 * @param bits b of the probabilities, 2 to 16; 8 in form {@code deferred}
 * @param deferred whether the sum is divided out of the context
 */
public record SoftmaxTable(int[] exponentials, int rounding, int bits, boolean deferred) {
  /** Length of the table: 256 distances and the masked score. */
  public static final int SIZE = 257;

  private static final int LARGEST_BYTE = 255;

  /** Index of the exponential of a masked score. */
  public static final int MASKED = 256;

  /**
   * Checks what a file may have held.
   *
   * @throws InputException if the table is not one: its length, a value below 0 or above E[0], H or
   *     b out of range
   */
  public SoftmaxTable {
    if (exponentials.length != SIZE) {
      throw new InputException(
          "softmax table: " + exponentials.length + " entries, expected " + SIZE);
    }
    if (bits < 2 || bits > 16) {
      throw new InputException("softmax table: " + bits + " bits, expected 2 to 16");
    }
    if (rounding != 0 && rounding != 1 << (31 - bits)) {
      throw new InputException(
          "softmax table: rounding " + rounding + ", expected 0 or " + (1 << (31 - bits)));
    }
    if (deferred && (bits != 8 || rounding != 0 || exponentials[0] > LARGEST_BYTE)) {
      throw new InputException(
          "softmax table: %d bits, rounding %d, entry 0 is %d, expected 8, 0 and at most %d in form deferred"
              .formatted(bits, rounding, exponentials[0], LARGEST_BYTE));
    }
    if (exponentials[0] < 1) {
      throw new InputException("softmax table: entry 0 is " + exponentials[0] + ", expected >= 1");
    }
    for (int d = 1; d < SIZE; d++) {
      if (exponentials[d] < 0 || exponentials[d] > exponentials[0]) {
        throw new InputException(
            "softmax table: entry %s is %s, expected 0 to %s"
                .formatted(d, exponentials[d], exponentials[0]));
      }
    }
  }

  /**
   * The table of a layer.
   *
   * @param name the node, for messages
   * @param scale s of the scores
   * @param tokens the longest row
   * @param bits of the probabilities
   * @throws InputException if a row of so many scores at this scale is refused
   */
  public static SoftmaxTable of(String name, SoftmaxForm form, float scale, int tokens, int bits) {
    return switch (form) {
      case SHIFT -> shift(ShiftExponential.of(name, scale, 15, tokens), bits);
      case EXACT ->
          new SoftmaxTable(exact(name, scale, tokens, 1 << 15), 1 << (31 - bits), bits, false);
      case DEFERRED -> new SoftmaxTable(exact(name, scale, tokens, LARGEST_BYTE), 0, bits, true);
    };
  }

  private static SoftmaxTable shift(ShiftExponential exponential, int bits) {
    int[] table = new int[SIZE];
    for (int d = 0; d < MASKED; d++) {
      table[d] = (int) exponential.of(-d);
    }
    table[MASKED] = (int) exponential.smallest();
    return new SoftmaxTable(table, 0, bits, false);
  }

  private static int[] exact(String name, float scale, int tokens, int largest) {
    if (!(scale > 0) || Float.isInfinite(scale)) {
      throw new InputException(name + ": scale " + scale + ", expected a positive finite value");
    }
    if (tokens >= 1 << 16) {
      throw new InputException(name + ": refused, " + tokens + " tokens, expected below 65536");
    }
    int[] table = new int[SIZE];
    for (int d = 0; d < MASKED; d++) {
      table[d] = (int) Math.rint(StrictMath.exp(-(double) scale * d) * largest);
    }
    return table;
  }

  /**
   * Proves that a row's sum fits, tokens·E[0] &lt; 2^31; in form {@code deferred} 128 times that,
   * which P·V may reach.
   *
   * @param name the node, for the message
   * @throws InputException if it does not
   */
  public void prove(String name, int tokens) {
    long largest = (long) tokens * exponentials[0] * (deferred ? 128 : 1);
    if (largest >= Bounds.LIMIT) {
      throw new InputException(
          "%s: refused, the sum of %s%s%s, expected below 2^31"
              .formatted(
                  name,
                  tokens,
                  deferred ? " exponentials times values may reach " : " exponentials may reach ",
                  largest));
    }
  }

  /** Width of the probabilities that give P·V, normalised, its scale. */
  public int contextBits() {
    return deferred ? 16 : bits;
  }

  /**
   * What a row's accumulators of P·V are multiplied with, form {@code deferred}.
   *
   * @param sum of the row's codes
   */
  public static int factor(int sum) {
    return Integer.MAX_VALUE / sum;
  }

  /**
   * Divides the row's sum out of an accumulator, form {@code deferred}.
   *
   * @param acc of P·V
   * @param factor of the row, {@link #factor}
   */
  public static int normalise(int acc, int factor) {
    return (int) (((long) acc * factor + (1 << 15)) >> 16);
  }

  /**
   * One row of probabilities.
   *
   * @param scores {@code n} codes from {@code offset}
   * @param n at most the tokens that the table was made for, at least 1
   * @param masked true from {@code maskOffset} on where a score is masked, or null; a masked score
   *     does not take part in the maximum
   * @param out receives {@code n} codes from {@code outOffset}
   * @throws InputException if every score is masked
   */
  public void row(
      byte[] scores,
      int offset,
      int n,
      boolean[] masked,
      int maskOffset,
      short[] out,
      int outOffset) {
    int max = Integer.MIN_VALUE;
    for (int i = 0; i < n; i++) {
      if (masked == null || !masked[maskOffset + i]) {
        max = Math.max(max, scores[offset + i]);
      }
    }
    if (max == Integer.MIN_VALUE) {
      throw new InputException("softmax: refused, every score of a row of " + n + " is masked");
    }
    if (deferred) {
      for (int i = 0; i < n; i++) {
        out[outOffset + i] = (short) exponential(scores, offset, masked, maskOffset, max, i);
      }
      return;
    }
    long sum = 0;
    for (int i = 0; i < n; i++) {
      sum += exponential(scores, offset, masked, maskOffset, max, i);
    }
    long factor = Integer.MAX_VALUE / sum;
    long limit = (1L << (bits - 1)) - 1;
    for (int i = 0; i < n; i++) {
      long e = exponential(scores, offset, masked, maskOffset, max, i);
      out[outOffset + i] = (short) Math.min((e * factor + rounding) >> (32 - bits), limit);
    }
  }

  private long exponential(
      byte[] scores, int offset, boolean[] masked, int maskOffset, int max, int i) {
    return masked != null && masked[maskOffset + i]
        ? exponentials[MASKED]
        : exponentials[max - scores[offset + i]];
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof SoftmaxTable that
        && rounding == that.rounding
        && bits == that.bits
        && deferred == that.deferred
        && Arrays.equals(exponentials, that.exponentials);
  }

  @Override
  public int hashCode() {
    return 31 * (31 * Arrays.hashCode(exponentials) + rounding) + (deferred ? -bits : bits);
  }

  @Override
  public String toString() {
    return "SoftmaxTable[E[0]="
        + exponentials[0]
        + ", H="
        + rounding
        + ", bits="
        + bits
        + ", deferred="
        + deferred
        + "]";
  }
}
