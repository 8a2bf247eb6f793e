package org.ivit.core.graph;

import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.arithmetic.Quantizer;

/**
 * Residual addition of two 16-bit tensors ({@code docs/arithmetic.md#requantization}): {@code
 * clamp16(requantize(z) + requantize(identity))}.
 *
 * @param name full node name, such as {@code blocks.0.residual1}
 * @param branch multiplier of the branch z
 * @param identity multiplier of the identity
 * @param outputScale value of one output code step
 */
public record Residual(String name, Dyadic branch, Dyadic identity, float outputScale) {

  /**
   * @param name full node name
   * @param branchScale scale of the branch
   * @param identityScale scale of the identity
   * @param outputScale scale of the sum's range
   * @return the node
   */
  public static Residual of(
      String name, float branchScale, float identityScale, float outputScale) {
    return new Residual(
        name,
        Dyadic.of(name, Dyadic.ratio(branchScale, outputScale)),
        Dyadic.of(name, Dyadic.ratio(identityScale, outputScale)),
        outputScale);
  }

  /**
   * @param z code of the branch
   * @param identityCode code of the identity
   * @return 16-bit code of the sum
   */
  public short add(int z, int identityCode) {
    return Quantizer.clamp16(branch.apply(z) + identity.apply(identityCode));
  }
}
