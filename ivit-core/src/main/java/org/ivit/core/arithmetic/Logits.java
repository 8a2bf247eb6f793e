package org.ivit.core.arithmetic;

/** The head's accumulators on one scale, and the answers read from them. */
public final class Logits {
  private Logits() {}

  /**
   * The scale of the logits: float32(max_c(s_b[c]) / 64). A distilled model gives the bias scales
   * of both heads; its logits, the sum of both, then have half this scale.
   *
   * @param biasScales [classes] for each head
   */
  public static float scale(float[]... biasScales) {
    float max = 0;
    for (float[] scales : biasScales) {
      for (float s : scales) {
        max = Math.max(max, s);
      }
    }
    return max / 64f;
  }

  /** The class with the largest logit; ties go to the lower index. */
  public static int argMax(int[] logits, int offset, int classes) {
    int best = 0;
    for (int c = 1; c < classes; c++) {
      if (logits[offset + c] > logits[offset + best]) {
        best = c;
      }
    }
    return best;
  }

  /**
   * The classes with the largest logits, best first; ties go to the lower index.
   *
   * @param k how many, at most {@code classes} are returned
   */
  public static int[] top(int[] logits, int offset, int classes, int k) {
    int[] top = new int[Math.min(k, classes)];
    int found = 0;
    for (int c = 0; c < classes; c++) {
      int place = found;
      while (place > 0 && logits[offset + c] > logits[offset + top[place - 1]]) {
        place--;
      }
      if (place < top.length) {
        found = Math.min(found + 1, top.length);
        System.arraycopy(top, place, top, place + 1, found - 1 - place);
        top[place] = c;
      }
    }
    return top;
  }

  /** Integers as real numbers: float32(code·scale). */
  public static float[] real(int[] codes, float scale) {
    float[] real = new float[codes.length];
    for (int i = 0; i < real.length; i++) {
      real[i] = codes[i] * scale;
    }
    return real;
  }

  /**
   * Natural logarithm of the softmax, in float64.
   *
   * @param x real logits, overwritten
   * @return {@code x}
   */
  public static double[] logSoftmax(double[] x) {
    double max = Double.NEGATIVE_INFINITY;
    for (double value : x) {
      max = Math.max(max, value);
    }
    double sum = 0;
    for (double value : x) {
      sum += Math.exp(value - max);
    }
    double logSum = max + Math.log(sum);
    for (int c = 0; c < x.length; c++) {
      x[c] -= logSum;
    }
    return x;
  }

  /**
   * Softmax of the real logits {@code logit·scale}, in float64.
   *
   * @return [classes]
   */
  public static double[] softmax(int[] logits, int offset, int classes, float scale) {
    double[] x = new double[classes];
    for (int c = 0; c < classes; c++) {
      x[c] = (double) scale * logits[offset + c];
    }
    logSoftmax(x);
    for (int c = 0; c < classes; c++) {
      x[c] = Math.exp(x[c]);
    }
    return x;
  }
}
