package org.ivit.core.arithmetic;

/**
 * The codes of GELU form {@code asymmetric}. GELU never falls below −0.17, so symmetric codes leave
 * almost half of the 256 unused. Here code c stands for {@code s·(c + offset)}, with the offset
 * that puts −0.17 at the lowest code. The offset follows from the scale alone, and the linear layer
 * that reads the codes has {@code offset·Σw} in its bias: an engine computes nothing more, and
 * nothing differently, than with symmetric codes.
 */
public final class AsymmetricGelu {
  /** A bound from below of x·Φ(x), whose minimum is −0.16997. */
  public static final float LEAST = -0.17f;

  private static final int STEPS = 255;

  private AsymmetricGelu() {}

  /**
   * The scale that spreads the codes from {@link #LEAST} to {@code max}: float32((max⁺ +
   * 0.17)/255).
   *
   * @param max largest value of the node, finite; below 0 it counts as 0
   */
  public static float scale(float max) {
    return (Math.max(max, 0) - LEAST) / STEPS;
  }

  /**
   * What is added to a code before the scale multiplies it: 128 − rint(float32(0.17/s)).
   *
   * @param scale s, a scale of {@link #scale}, or such a scale times a power of two
   * @return −127 to 128
   */
  public static int offset(float scale) {
    return 128 - (int) Math.min(STEPS, Math.rint(-LEAST / scale));
  }

  /**
   * The final codes: clamp8(rint(f(s·x) / float64(s_out)) − offset).
   *
   * @param function f
   * @param s scale of the input codes, which are symmetric
   * @param sOut scale of the output codes
   * @return [256], by code + 128
   */
  public static byte[] table(Activation function, float s, float sOut) {
    int offset = offset(sOut);
    byte[] table = new byte[ShiftGelu.SIZE];
    for (int x = -128; x < 128; x++) {
      double code = Math.rint(ShiftGelu.exactValue(function, s, x) / (double) sOut) - offset;
      table[x + 128] = (byte) Math.max(-128, Math.min(127, code));
    }
    return table;
  }
}
