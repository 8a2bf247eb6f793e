package org.ivit.core.model;

import org.ivit.core.arithmetic.Logits;

/** The feature of a picture. */
public final class Embedding {
  private final int[] codes;
  private final float scale;

  Embedding(int[] codes, float scale) {
    this.codes = codes;
    this.scale = scale;
  }

  /** Number of channels. */
  public int width() {
    return codes.length;
  }

  /** The feature as the engine computes it, [width] int32 on the scale {@link #scale}, a copy. */
  public int[] codes() {
    return codes.clone();
  }

  /** What one of {@link #codes} is worth. */
  public float scale() {
    return scale;
  }

  /** The feature as real numbers, [width] float32. */
  public float[] values() {
    return Logits.real(codes, scale);
  }

  /**
   * The feature with length 1, [width] float32, so that the sum of the products of two is their
   * cosine. One of zeros alone stays so.
   */
  public float[] normalised() {
    double squares = 0;
    for (int code : codes) {
      squares += (double) code * code;
    }
    double length = squares == 0 ? 1 : Math.sqrt(squares);
    float[] values = new float[codes.length];
    for (int c = 0; c < values.length; c++) {
      values[c] = (float) (codes[c] / length);
    }
    return values;
  }
}
