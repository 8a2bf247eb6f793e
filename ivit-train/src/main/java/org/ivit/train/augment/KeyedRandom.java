package org.ivit.train.augment;

import org.apache.commons.math3.random.AbstractRandomGenerator;

/**
 * Random numbers that follow from a key: SplitMix64 (Steele, Lea, Flood 2014) started at a hash of
 * all parts of the key. Two keys that differ anywhere give unrelated numbers. One object is for one
 * thread.
 */
public final class KeyedRandom extends AbstractRandomGenerator {
  private static final long GAMMA = 0x9e3779b97f4a7c15L;

  /** What numbers are for: the first part of a key, so that no two uses share them. */
  public enum Use {
    /** The order of an epoch. */
    ORDER(1),
    /** The transform of one picture. */
    PICTURE(2),
    /** Mixup and cutmix of one batch. */
    MIXING(3),
    /** Which branches of the network one picture keeps. */
    DEPTH(4),
    /** Directions in which calibration moves the answer to a picture. */
    ANSWER_NOISE(5);

    private final long code;

    Use(long code) {
      this.code = code;
    }
  }

  private long state;

  /**
   * The numbers of a key.
   *
   * @param seed of the run
   * @param parts for example epoch and picture
   */
  public KeyedRandom(Use use, long seed, long... parts) {
    state = key(use, seed, parts);
  }

  /** 64 well mixed bits of a key, for code that draws its numbers itself. */
  public static long key(Use use, long seed, long... parts) {
    long hash = mix(seed + GAMMA);
    hash = mix(hash + use.code * GAMMA);
    for (long part : parts) {
      hash = mix(hash + (part + 1) * GAMMA);
    }
    return hash;
  }

  private static long mix(long value) {
    long z = (value ^ (value >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }

  @Override
  public void setSeed(long seed) {
    clear();
    state = seed;
  }

  @Override
  public long nextLong() {
    state += GAMMA;
    return mix(state);
  }

  /** Uniform in [0, 1), 53 bits. */
  @Override
  public double nextDouble() {
    return (nextLong() >>> 11) * 0x1p-53;
  }

  /** Uniform in [low, high). */
  public double uniform(double low, double high) {
    return low + (high - low) * nextDouble();
  }

  /** Whether an event of that probability happens. */
  public boolean chance(double probability) {
    return nextDouble() < probability;
  }

  /** A random order of 0 … size − 1 (Fisher and Yates). */
  public int[] permutation(int size) {
    int[] order = new int[size];
    for (int i = 0; i < size; i++) {
      int j = nextInt(i + 1);
      order[i] = order[j];
      order[j] = i;
    }
    return order;
  }
}
