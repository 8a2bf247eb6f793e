package org.ivit.train.operator;

import org.ivit.train.parameter.PartSpec;

/**
 * Stochastic depth: in training a picture's residual branch is dropped with probability p and
 * otherwise multiplied by 1/(1−p). The choice follows from keys, not from a stream of random
 * numbers.
 *
 * @param rate probability p, 0 to below 1
 * @param key which branch of the network this is
 */
public record DropPath(double rate, long key) {
  /** Nothing is dropped. */
  public static final DropPath NONE = new DropPath(0, 0);

  /**
   * That of a block's branch.
   *
   * @param spec of the block
   * @param branch 0 for attention, 1 for the MLP
   */
  public static DropPath of(PartSpec spec, int branch) {
    return new DropPath(spec.dropPath(), 2L * spec.block() + branch);
  }

  /** Checks the rate. */
  public DropPath {
    if (!(rate >= 0 && rate < 1)) {
      throw new IllegalArgumentException("drop path rate " + rate + ", expected 0 to below 1");
    }
  }

  /**
   * Whether the picture keeps the branch.
   *
   * @param pictureKey what identifies picture and epoch
   */
  public boolean keeps(long pictureKey) {
    if (rate == 0) {
      return true;
    }
    long bits = mix(mix(pictureKey) + mix(key + 0x632BE59BD9B4E019L));
    return (bits >>> 11) * 0x1.0p-53 >= rate;
  }

  /** Factor of a branch that is kept. */
  public double factor() {
    return 1 / (1 - rate);
  }

  /** By how much the branch of a picture of the batch counts in training: 0 where it is dropped. */
  public double factor(Execution run, int picture) {
    if (rate == 0) {
      return 1;
    }
    return keeps(run.pictureKey(picture)) ? factor() : 0;
  }

  /** The finalizer of SplitMix64 (Steele, Lea, Flood 2014). */
  static long mix(long z) {
    long a = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    long b = (a ^ (a >>> 27)) * 0x94D049BB133111EBL;
    return b ^ (b >>> 31);
  }
}
