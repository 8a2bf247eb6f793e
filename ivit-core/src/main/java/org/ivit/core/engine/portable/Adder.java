package org.ivit.core.engine.portable;

import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.graph.Residual;

/** The residual add over a run of 16-bit codes: two requantizations, one clamp. */
final class Adder {
  private final long branchMultiplier;
  private final long branchHalf;
  private final int branchShift;
  private final long identityMultiplier;
  private final long identityHalf;
  private final int identityShift;

  Adder(Residual residual) {
    Dyadic branch = residual.branch();
    Dyadic identity = residual.identity();
    branchMultiplier = branch.multiplier();
    branchShift = branch.shift();
    branchHalf = 1L << (branchShift - 1);
    identityMultiplier = identity.multiplier();
    identityShift = identity.shift();
    identityHalf = 1L << (identityShift - 1);
  }

  /**
   * {@code out[outAt + j] = branch[branchAt + j] ⊕ identity[identityAt + j]} for j below n; out may
   * be the identity.
   */
  void add(
      short[] branch,
      int branchAt,
      short[] identity,
      int identityAt,
      short[] out,
      int outAt,
      int n) {
    for (int j = 0; j < n; j++) {
      long v =
          ((branch[branchAt + j] * branchMultiplier + branchHalf) >> branchShift)
              + ((identity[identityAt + j] * identityMultiplier + identityHalf) >> identityShift);
      out[outAt + j] = (short) Math.max(Short.MIN_VALUE, Math.min(Short.MAX_VALUE, v));
    }
  }
}
