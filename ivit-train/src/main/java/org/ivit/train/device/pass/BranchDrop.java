package org.ivit.train.device.pass;

import org.ivit.train.operator.DropPath;

/** Stochastic depth of a residual branch on the device. */
public final class BranchDrop {
  private final DropPath drop;
  private final int size;
  private int factors;

  /**
   * @param size numbers of a picture
   */
  public BranchDrop(DropPath drop, int size) {
    this.drop = drop;
    this.size = size;
  }

  public DropPath path() {
    return drop;
  }

  public int size() {
    return size;
  }

  /** Draws which pictures of the micro-batch keep the branch. */
  public void draw(Pass pass) {
    if (drop.rate() > 0) {
      float[] drawn = new float[pass.keys().length];
      for (int i = 0; i < drawn.length; i++) {
        drawn[i] = drop.keeps(pass.keys()[i]) ? (float) drop.factor() : 0;
      }
      factors = pass.inputs.floats(drawn);
    }
  }

  /** Address of the branch's factor by picture; 0 where all are 1. */
  public long factors(Pass pass) {
    return drop.rate() > 0 ? pass.inputs.at(factors) : 0;
  }

  /** The gradient by the branch: that by the sum, or a copy of it in scratch memory. */
  public long gradient(Pass pass, long g, int pictures) {
    if (drop.rate() == 0) {
      return g;
    }
    long count = (long) pictures * size;
    long scaled = pass.scratch.of("gBranch", count, 4);
    pass.scale(g, scaled, count, factors(pass), size, 0, 1);
    return scaled;
  }
}
