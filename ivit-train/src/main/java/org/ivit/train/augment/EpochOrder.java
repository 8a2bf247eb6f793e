package org.ivit.train.augment;

/** The order in which an epoch goes through its pictures. */
public final class EpochOrder {
  private EpochOrder() {}

  /** A permutation of 0 … size − 1 that follows from seed and epoch. */
  public static int[] shuffled(int size, long seed, int epoch) {
    return new KeyedRandom(KeyedRandom.Use.ORDER, seed, epoch).permutation(size);
  }

  /**
   * An epoch of repeated augmentation, as timm's {@code RepeatAugSampler} in one process: the
   * shuffled pictures, each so many times in a row, cut to {@code size}.
   *
   * @return sights of pictures: sight {@code k} of picture {@code i} is {@code i + k·size}
   */
  public static int[] repeated(int size, int repeats, long seed, int epoch) {
    int[] pictures = shuffled(size, seed, epoch);
    int[] sights = new int[size];
    for (int i = 0; i < size; i++) {
      sights[i] = Math.addExact(pictures[i / repeats], Math.multiplyExact(i % repeats, size));
    }
    return sights;
  }
}
