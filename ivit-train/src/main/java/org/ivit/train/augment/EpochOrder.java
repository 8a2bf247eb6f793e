package org.ivit.train.augment;

/** The order in which an epoch goes through its pictures. */
public final class EpochOrder {
  private EpochOrder() {}

  /** A permutation of 0 … size − 1 that follows from seed and epoch. */
  public static int[] shuffled(int size, long seed, int epoch) {
    return new KeyedRandom(KeyedRandom.Use.ORDER, seed, epoch).permutation(size);
  }
}
