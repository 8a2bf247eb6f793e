package org.ivit.train.operator;

import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.graph.Residual;

/** Residual addition of the quantized network, with stochastic depth, §2. */
final class QuantResidual {
  private final String name;
  private final DropPath drop;
  private Residual node;
  private Residual kept;
  private double branchScale;
  private double identityScale;

  /**
   * @param name full node name, such as {@code blocks.0.residual1}
   */
  QuantResidual(String name, DropPath drop) {
    this.name = name;
    this.drop = drop;
  }

  /** Builds the node of this pass: in training a kept branch is worth 1/(1−p) of its scale. */
  void prepare(float branch, float identity, float outputScale) {
    node = Residual.of(name, branch, identity, outputScale);
    branchScale = branch;
    identityScale = identity;
    kept =
        drop.rate() == 0
            ? node
            : new Residual(
                name,
                Dyadic.of(name, Dyadic.ratio(branch, outputScale) * drop.factor()),
                node.identity(),
                outputScale);
  }

  Residual node() {
    return node;
  }

  /**
   * By how much a picture's branch counts.
   *
   * @param training whether branches are dropped
   */
  double factor(boolean training, Execution run, int picture) {
    if (!training || drop.rate() == 0) {
      return 1;
    }
    return drop.keeps(run.pictureKey(picture)) ? drop.factor() : 0;
  }

  /**
   * Adds one picture's codes.
   *
   * @param factor of {@link #factor}
   * @param seen receives the values, or null
   */
  void forward(
      short[] branch,
      short[] identity,
      short[] out,
      int from,
      int n,
      double factor,
      SeenRanges seen) {
    Residual adder = factor == 1 ? node : kept;
    for (int i = from; i < from + n; i++) {
      out[i] = adder.add(factor == 0 ? 0 : branch[i], identity[i]);
    }
    if (seen != null) {
      observe(branch, identity, from, n, factor, seen);
    }
  }

  private void observe(
      short[] branch, short[] identity, int from, int n, double factor, SeenRanges seen) {
    double scale = branchScale * factor;
    double min = Double.POSITIVE_INFINITY;
    double max = Double.NEGATIVE_INFINITY;
    for (int i = from; i < from + n; i++) {
      double value = branch[i] * scale + identity[i] * identityScale;
      min = Math.min(min, value);
      max = Math.max(max, value);
    }
    seen.include(name, min, max);
  }
}
