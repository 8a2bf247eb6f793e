package org.ivit.serve.model;

import org.ivit.core.arithmetic.Logits;

/** What a model answers to a picture: logits, or a feature. */
public final class Answer {
  private final int[] codes;
  private final float[] values;
  private final float scale;

  private Answer(int[] codes, float[] values, float scale) {
    this.codes = codes;
    this.values = values;
    this.scale = scale;
  }

  /**
   * Of an integer model.
   *
   * @param codes int32, not copied
   * @param scale what one of them is worth
   */
  public static Answer ofCodes(int[] codes, float scale) {
    return new Answer(codes, null, scale);
  }

  /**
   * Of a float model.
   *
   * @param values float32, not copied
   */
  public static Answer ofValues(float[] values) {
    return new Answer(null, values, 1);
  }

  /** The integers, not a copy; null of a float model. */
  public int[] codes() {
    return codes;
  }

  /** The real numbers, float32. */
  public float[] reals() {
    return codes == null ? values.clone() : Logits.real(codes, scale);
  }

  /** The softmax of logits, in float64. */
  public double[] probabilities() {
    return logits().softmax(0);
  }

  /**
   * The classes with the largest logits, best first; of equal ones the lower index.
   *
   * @param k how many; fewer where there are not so many classes
   */
  public int[] top(int k) {
    return logits().top(0, k);
  }

  private org.ivit.export.model.Logits logits() {
    return codes == null
        ? org.ivit.export.model.Logits.ofValues(values, values.length)
        : org.ivit.export.model.Logits.ofCodes(codes, scale, codes.length);
  }
}
