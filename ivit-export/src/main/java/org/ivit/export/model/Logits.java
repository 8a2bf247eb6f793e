package org.ivit.export.model;

import java.io.Serializable;
import java.util.Arrays;
import java.util.List;
import org.ivit.core.InputException;

/**
 * The logits of a model on a list of pictures, row-major [images, classes]: int32 codes on one
 * scale, or float32 values. Answers are taken on the codes themselves, so that no rounding can move
 * one; ties go to the lower class index.
 */
public final class Logits implements Serializable {
  private static final long serialVersionUID = 1L;

  private final int images;
  private final int classes;
  private final int[] codes;
  private final float[] values;
  private final float scale;

  private Logits(int images, int classes, int[] codes, float[] values, float scale) {
    this.images = images;
    this.classes = classes;
    this.codes = codes;
    this.values = values;
    this.scale = scale;
  }

  /**
   * Integer logits.
   *
   * @param codes [images, classes], not copied
   * @param scale value of one code
   */
  public static Logits ofCodes(int[] codes, float scale, int classes) {
    return new Logits(rows(codes.length, classes), classes, codes, null, scale);
  }

  /**
   * Float logits.
   *
   * @param values [images, classes], not copied
   * @throws InputException if a value is not finite
   */
  public static Logits ofValues(float[] values, int classes) {
    int images = rows(values.length, classes);
    for (int i = 0; i < values.length; i++) {
      if (!Float.isFinite(values[i])) {
        throw new InputException(
            "logits: picture "
                + i / classes
                + " has "
                + values[i]
                + " for class "
                + i % classes
                + ", expected finite numbers");
      }
    }
    return new Logits(images, classes, null, values, 1f);
  }

  /**
   * One after another.
   *
   * @param parts at least one, of the same model
   */
  public static Logits join(List<Logits> parts) {
    Logits first = parts.get(0);
    int total = parts.stream().mapToInt(p -> p.images * p.classes).sum();
    int[] codes = first.codes == null ? null : new int[total];
    float[] values = first.values == null ? null : new float[total];
    int at = 0;
    for (Logits part : parts) {
      int length = part.images * part.classes;
      if (codes != null) {
        System.arraycopy(part.codes, 0, codes, at, length);
      } else {
        System.arraycopy(part.values, 0, values, at, length);
      }
      at += length;
    }
    return new Logits(total / first.classes, first.classes, codes, values, first.scale);
  }

  private static int rows(int length, int classes) {
    if (classes < 1 || length % classes != 0) {
      throw new IllegalArgumentException(length + " logits of " + classes + " classes");
    }
    return length / classes;
  }

  /** Number of pictures. */
  public int images() {
    return images;
  }

  /** Number of classes. */
  public int classes() {
    return classes;
  }

  /** Whether the logits are int32 codes. */
  public boolean integer() {
    return codes != null;
  }

  /** Value of one code; 1 for float logits. */
  public float scale() {
    return scale;
  }

  /** The int32 codes [images, classes], not a copy; null for float logits. */
  public int[] codes() {
    return codes;
  }

  /** The float32 values [images, classes], not a copy; null for integer logits. */
  public float[] values() {
    return values;
  }

  /** The class with the largest logit; the lowest such index. */
  public int answer(int image) {
    int best = 0;
    for (int c = 1; c < classes; c++) {
      if (compare(image, c, best) > 0) {
        best = c;
      }
    }
    return best;
  }

  /**
   * How many classes come before this one: those with a larger logit, or the same and a lower
   * index.
   */
  public int rank(int image, int label) {
    int before = 0;
    for (int c = 0; c < classes; c++) {
      int order = compare(image, c, label);
      if (order > 0 || (order == 0 && c < label)) {
        before++;
      }
    }
    return before;
  }

  /** The first {@code k} classes in order of their rank, fewer where there are not so many. */
  public int[] top(int image, int k) {
    int[] order = new int[Math.min(k, classes)];
    boolean[] taken = new boolean[classes];
    for (int i = 0; i < order.length; i++) {
      int best = -1;
      for (int c = 0; c < classes; c++) {
        if (!taken[c] && (best < 0 || compare(image, c, best) > 0)) {
          best = c;
        }
      }
      taken[best] = true;
      order[i] = best;
    }
    return order;
  }

  /** Natural logarithm of the softmax of the dequantized logits of one picture, in float64. */
  public double[] logSoftmax(int image) {
    double[] x = new double[classes];
    for (int c = 0; c < classes; c++) {
      x[c] = value(image, c);
    }
    return org.ivit.core.arithmetic.Logits.logSoftmax(x);
  }

  /** Softmax of the dequantized logits of one picture, in float64. */
  public double[] softmax(int image) {
    return Arrays.stream(logSoftmax(image)).map(Math::exp).toArray();
  }

  private double value(int image, int c) {
    int i = image * classes + c;
    return codes != null ? (double) scale * codes[i] : values[i];
  }

  private int compare(int image, int a, int b) {
    int row = image * classes;
    return codes != null
        ? Integer.compare(codes[row + a], codes[row + b])
        : compareFloats(values[row + a], values[row + b]);
  }

  /** Compares as numbers: −0 equals 0. */
  private static int compareFloats(float a, float b) {
    return a > b ? 1 : a < b ? -1 : 0;
  }
}
