package org.ivit.core.arithmetic;

/** The three kinds of integer products, exact in int32 where {@link Bounds} holds. */
public final class Products {
  private Products() {}

  /**
   * One output of a linear layer: Σ_rest x·w + ((Σ_outliers x·w) &lt;&lt; k) + bias.
   *
   * @param x input codes; {@code inputs} of them from {@code xOffset}
   * @param w weight codes of the output channel; {@code inputs} of them from {@code wOffset}
   * @param outliers outlier channels of the input
   */
  public static int linear(
      byte[] x,
      int xOffset,
      byte[] w,
      int wOffset,
      int inputs,
      int bias,
      OutlierChannels outliers) {
    int sum = dot(x, xOffset, w, wOffset, inputs);
    int set = 0;
    for (int k : outliers.channels()) {
      set += x[xOffset + k] * w[wOffset + k];
    }
    return sum - set + (set << outliers.shift()) + bias;
  }

  /** Σ a·b: one score of Q·Kᵀ, over the width of a head. */
  public static int dot(byte[] a, int aOffset, byte[] b, int bOffset, int n) {
    int sum = 0;
    for (int k = 0; k < n; k++) {
      sum += a[aOffset + k] * b[bOffset + k];
    }
    return sum;
  }

  /**
   * Σ p·v: one output of P·V.
   *
   * @param p a row of {@code tokens} probabilities from {@code pOffset}
   * @param v codes of the values; token t at {@code vOffset + t·vStride}
   */
  public static int context(
      short[] p, int pOffset, byte[] v, int vOffset, int vStride, int tokens) {
    int sum = 0;
    for (int t = 0; t < tokens; t++) {
      sum += p[pOffset + t] * v[vOffset + t * vStride];
    }
    return sum;
  }
}
