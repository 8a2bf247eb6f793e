package org.ivit.core.arithmetic;

import org.ivit.core.InputException;

/** From float32 values to integer codes, and the clamps. Value = scale · code. */
public final class Quantizer {
  /** The smallest scale of a range. */
  public static final float MIN_SCALE = 0x1p-23f;

  private Quantizer() {}

  /**
   * The scale of a range: max(max(−lo, hi) / (2^(b−1)−1), 2^−23), in float32.
   *
   * @param bits 8 or 16
   * @throws InputException if the range is not finite
   */
  public static float scale(float min, float max, int bits) {
    float scale = Math.max(Math.max(-min, max) / (float) ((1 << (bits - 1)) - 1), MIN_SCALE);
    if (!(scale < Float.POSITIVE_INFINITY)) {
      throw new InputException("range [" + min + ", " + max + "]: expected finite values");
    }
    return scale;
  }

  /**
   * The scale of a tensor from its own minimum and maximum: position embedding (16 bits), relative
   * position table (8 bits).
   *
   * @param tensor name, for messages
   * @throws InputException if a value is NaN or infinite; names the tensor
   */
  public static float scaleOf(String tensor, float[] x, int bits) {
    float min = 0;
    float max = 0;
    for (int i = 0; i < x.length; i++) {
      requireFinite(tensor, i, x[i]);
      min = Math.min(min, x[i]);
      max = Math.max(max, x[i]);
    }
    return scale(min, max, bits);
  }

  /** float32(1/s), which {@link #code} multiplies by. */
  public static float reciprocal(float scale) {
    return 1f / scale;
  }

  /**
   * clamp(rint(float32(reciprocal·x))), ties to even. The reciprocal is rounded first, so this is
   * not division.
   *
   * @param x finite
   * @param bits 2 to 32
   */
  public static int code(float x, float reciprocal, int bits) {
    double code = Math.rint(reciprocal * x);
    double limit = (double) (1L << (bits - 1));
    return (int) Math.max(-limit, Math.min(limit - 1, code));
  }

  /** Saturates to [−2^(bits−1), 2^(bits−1)−1]. */
  public static int clamp(long v, int bits) {
    long limit = 1L << (bits - 1);
    return (int) Math.max(-limit, Math.min(limit - 1, v));
  }

  /** Saturates to [−128, 127]. */
  public static byte clamp8(long v) {
    return (byte) Math.max(Byte.MIN_VALUE, Math.min(Byte.MAX_VALUE, v));
  }

  /** Saturates to [−32768, 32767]. */
  public static short clamp16(long v) {
    return (short) Math.max(Short.MIN_VALUE, Math.min(Short.MAX_VALUE, v));
  }

  /**
   * The 8-bit codes of a tensor.
   *
   * @param tensor name, for messages
   * @throws InputException if a value is NaN or infinite; names the tensor
   */
  public static byte[] codes8(String tensor, float[] x, float scale) {
    float reciprocal = reciprocal(scale);
    byte[] codes = new byte[x.length];
    for (int i = 0; i < x.length; i++) {
      requireFinite(tensor, i, x[i]);
      codes[i] = (byte) code(x[i], reciprocal, 8);
    }
    return codes;
  }

  /** As {@link #codes8} for 16 bits. */
  public static short[] codes16(String tensor, float[] x, float scale) {
    float reciprocal = reciprocal(scale);
    short[] codes = new short[x.length];
    for (int i = 0; i < x.length; i++) {
      requireFinite(tensor, i, x[i]);
      codes[i] = (short) code(x[i], reciprocal, 16);
    }
    return codes;
  }

  /**
   * The codes of a class or distillation token: rint(float32(token / s)), by division, with the
   * scale of {@code patch_embed}, which it joins in the embedding's add.
   *
   * @param tensor name, for messages
   * @throws InputException if a value is not finite or its code does not fit 32 bits
   */
  public static int[] tokenCodes(String tensor, float[] token, float patchScale) {
    int[] codes = new int[token.length];
    for (int i = 0; i < token.length; i++) {
      requireFinite(tensor, i, token[i]);
      double code = Math.rint(token[i] / patchScale);
      if (Math.abs(code) > Integer.MAX_VALUE) {
        throw new InputException(
            "%s: refused, element %s is %s, too large for 32 bits at the scale %s of patch_embed"
                .formatted(tensor, i, token[i], patchScale));
      }
      codes[i] = (int) code;
    }
    return codes;
  }

  /**
   * A pixel as the float model sees it: ((p/255) − mean) / std in float32.
   *
   * @param pixel 0 to 255
   */
  public static float normalise(int pixel, float mean, float std) {
    return (pixel / 255f - mean) / std;
  }

  /**
   * The 8-bit codes of the 256 pixel values of one colour channel.
   *
   * @param scale of the node {@code input}
   * @return [256], indexed by the pixel value
   */
  public static byte[] pixelTable(float mean, float std, float scale) {
    float reciprocal = reciprocal(scale);
    byte[] table = new byte[256];
    for (int p = 0; p < 256; p++) {
      float x = normalise(p, mean, std);
      requireFinite("pixels with mean " + mean + " and std " + std, p, x);
      table[p] = (byte) code(x, reciprocal, 8);
    }
    return table;
  }

  static void requireFinite(String tensor, int index, float x) {
    if (!(Math.abs(x) < Float.POSITIVE_INFINITY)) {
      throw new InputException(
          tensor + ": element " + index + " is " + x + ", expected a finite value");
    }
  }
}
