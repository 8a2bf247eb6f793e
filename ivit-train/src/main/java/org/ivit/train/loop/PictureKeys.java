package org.ivit.train.loop;

/** Keys of randomness: functions of what they belong to, never of the position in a stream. */
final class PictureKeys {
  private PictureKeys() {}

  /**
   * @param seed of the run
   * @param epoch from 0, or −1 for what belongs to none
   * @param index of the picture, or −1 for what belongs to all
   * @return 64 well mixed bits
   */
  static long key(long seed, int epoch, int index) {
    long z = mix(seed + 0x9E3779B97F4A7C15L);
    z = mix(z + 0x9E3779B97F4A7C15L * (epoch + 2L));
    return mix(z + 0x9E3779B97F4A7C15L * (index + 2L));
  }

  /** The finalizer of SplitMix64 (Steele, Lea, Flood 2014). */
  private static long mix(long z) {
    long a = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    long b = (a ^ (a >>> 27)) * 0x94D049BB133111EBL;
    return b ^ (b >>> 31);
  }
}
