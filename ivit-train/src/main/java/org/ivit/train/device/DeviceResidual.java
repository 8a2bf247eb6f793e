package org.ivit.train.device;

import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.cuda.Arguments;
import org.ivit.core.graph.Residual;
import org.ivit.train.operator.DropPath;
import org.ivit.train.operator.SeenRanges;

/** Residual addition with stochastic depth on the device. */
final class DeviceResidual {
  private final String name;
  private final DropPath drop;
  private final int size;
  private Residual kept;
  private double branchScale;
  private double identityScale;
  private int extremes;
  private int factors;

  /**
   * @param name full node name
   * @param size codes of a picture
   */
  DeviceResidual(String name, DropPath drop, int size) {
    this.name = name;
    this.drop = drop;
    this.size = size;
  }

  /** Takes the scales of this step: a kept branch is worth 1/(1−p) of its own. */
  void prepare(Pass pass, float branch, float identity, float outputScale) {
    Residual node = Residual.of(name, branch, identity, outputScale);
    kept =
        drop.rate() == 0
            ? node
            : new Residual(
                name,
                Dyadic.of(name, Dyadic.ratio(branch, outputScale) * drop.factor()),
                node.identity(),
                outputScale);
    branchScale = branch * drop.factor();
    identityScale = identity;
    extremes = pass.extremes();
  }

  /** Draws which pictures of the micro-batch keep the branch. */
  void draw(Pass pass) {
    if (drop.rate() > 0) {
      float[] drawn = new float[pass.keys().length];
      for (int i = 0; i < drawn.length; i++) {
        drawn[i] = drop.keeps(pass.keys()[i]) ? (float) drop.factor() : 0;
      }
      factors = pass.inputs.floats(drawn);
    }
  }

  private long factors(Pass pass) {
    return drop.rate() > 0 ? pass.inputs.at(factors) : 0;
  }

  /**
   * @param branch address of 16-bit codes
   * @param identity address of 16-bit codes
   * @param out receives 16-bit codes
   */
  void forward(Pass pass, long branch, long identity, int pictures, long out) {
    pass.each(
        "residual_observed",
        (long) pictures * size,
        0,
        new Arguments()
            .address(branch)
            .address(identity)
            .address(out)
            .address(factors(pass))
            .address(pass.observed(extremes))
            .dyadic(kept.branch())
            .dyadic(kept.identity())
            .doubles(branchScale, identityScale)
            .longs((long) pictures * size)
            .ints(size, 0));
  }

  /** The gradient by the branch: that by the sum, or a copy of it in scratch memory. */
  long branchGradient(Pass pass, long g, int pictures) {
    if (drop.rate() == 0) {
      return g;
    }
    long count = (long) pictures * size;
    long scaled = pass.scratch.of("gBranch", count, 4);
    pass.each(
        "scale_pictures",
        count,
        0,
        new Arguments()
            .address(g)
            .address(scaled)
            .address(factors(pass))
            .longs(count)
            .ints(size, 0)
            .floats(1)
            .ints(0));
    return scaled;
  }

  /** Takes what the step observed. */
  void seen(Pass pass, SeenRanges seen) {
    seen.include(
        name,
        Pass.unordered(pass.observed.longAt(extremes, 0)),
        Pass.unordered(pass.observed.longAt(extremes, 1)));
  }
}
