package org.ivit.core.arithmetic;

/** The mean over tokens, in one rounding (the published code rounds the mean first). */
public final class Pooling {
  private Pooling() {}

  /**
   * The scale of a sum of {@code tokens} codes as their mean: float32(float64(s)/N).
   *
   * @param scale s, of the codes
   */
  public static float sumScale(float scale, int tokens) {
    return (float) ((double) scale / tokens);
  }

  /** The multiplier from the sum to the node {@code pool}. */
  public static Dyadic multiplier(float scale, int tokens, float outScale) {
    return Dyadic.of("pool", Dyadic.ratio(sumScale(scale, tokens), outScale));
  }
}
