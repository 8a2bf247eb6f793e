package org.ivit.core.graph;

import org.ivit.core.arithmetic.Bounds;
import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.arithmetic.Pooling;

/**
 * The mean over tokens in one rounding ({@code docs/arithmetic.md#pool-head-and-logits}): 8-bit
 * codes to 8-bit codes, or 16-bit codes to 16-bit codes.
 *
 * @param tokens tokens that the mean is of
 * @param multiplier from the sum to the output codes
 * @param outputScale value of one output code step
 */
public record Pool(int tokens, Dyadic multiplier, float outputScale) {
  /** Proves the bound of the sum. */
  public Pool {
    Bounds.provePool("pool", tokens);
  }

  /**
   * @param inputScale scale of the codes
   * @param tokens tokens that the mean is of
   * @param outputScale scale of {@code pool}
   * @return the node
   */
  public static Pool of(float inputScale, int tokens, float outputScale) {
    return new Pool(tokens, Pooling.multiplier(inputScale, tokens, outputScale), outputScale);
  }
}
