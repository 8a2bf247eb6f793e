package org.ivit.train.operator.integer;

import java.util.Objects;
import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.graph.Residual;
import org.ivit.train.memory.NativeRows;
import org.ivit.train.memory.RealType;
import org.ivit.train.operator.Chunk;
import org.ivit.train.operator.DropPath;
import org.ivit.train.operator.Execution;
import org.ivit.train.operator.SeenRanges;

/**
 * Residual addition of the quantized network, with stochastic depth ({@code
 * docs/arithmetic.md#requantization}).
 */
final class QuantResidual {
  private final String name;
  private final DropPath drop;
  private Residual node;
  private Residual kept;
  private double branchScale;
  private double identityScale;
  private boolean isNative;

  /**
   * @param name full node name, such as {@code blocks.0.residual1}
   */
  QuantResidual(String name, DropPath drop) {
    this.name = name;
    this.drop = drop;
  }

  /** Builds the node of this pass: in training a kept branch is worth 1/(1−p) of its scale. */
  void prepare(float branch, float identity, float outputScale, RealType type) {
    isNative = NativeRows.serves(type, 1);
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

  DropPath drop() {
    return drop;
  }

  /**
   * Adds the codes of the pictures of a chunk; in training some of them drop their branch.
   *
   * @param size numbers of a picture
   */
  void forward(
      short[] branch, short[] identity, short[] out, int size, Chunk chunk, Execution run) {
    for (int i = 0; i < chunk.count(); i++) {
      double factor = chunk.training() ? drop.factor(run, chunk.first() + i) : 1;
      forward(branch, identity, out, i * size, size, factor, chunk.seen());
    }
  }

  /**
   * Adds one picture's codes.
   *
   * @param factor by how much the branch counts
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
    if (isNative) {
      nativeForward(adder, branch, identity, out, from, n, factor, seen);
      return;
    }
    for (int i = from; i < from + n; i++) {
      out[i] = adder.add(factor == 0 ? 0 : branch[i], identity[i]);
    }
    if (seen != null) {
      observe(branch, identity, from, n, factor, seen);
    }
  }

  /** A dropped branch counts as one of multiplier 0. */
  private void nativeForward(
      Residual adder,
      short[] branch,
      short[] identity,
      short[] out,
      int from,
      int n,
      double factor,
      SeenRanges seen) {
    Objects.checkFromIndexSize(
        from, n, Math.min(out.length, Math.min(branch.length, identity.length)));
    long[] dyadics = {
      factor == 0 ? 0 : adder.branch().multiplier(),
      adder.branch().shift(),
      adder.identity().multiplier(),
      adder.identity().shift()
    };
    double[] extremes = {Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY};
    NativeRows.residual(
        branch,
        identity,
        out,
        from,
        n,
        dyadics,
        new double[] {branchScale * factor, identityScale},
        seen == null ? null : extremes);
    if (seen != null) {
      seen.include(name, extremes[0], extremes[1]);
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
