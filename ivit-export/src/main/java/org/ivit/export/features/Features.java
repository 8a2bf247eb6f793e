package org.ivit.export.features;

import java.util.List;
import org.ivit.core.InputException;
import org.ivit.core.arithmetic.Logits;

/**
 * Feature vectors, row-major [count, width]: int32 codes on one scale, or float32 values. How alike
 * two rows are does not depend on the scale.
 */
public final class Features {
  private final int count;
  private final int width;
  private final int[] codes;
  private final float[] values;
  private final float scale;

  private Features(int width, int[] codes, float[] values, float scale) {
    int length = codes == null ? values.length : codes.length;
    if (width < 1 || length % width != 0) {
      throw new IllegalArgumentException(length + " numbers of features " + width + " wide");
    }
    this.count = length / width;
    this.width = width;
    this.codes = codes;
    this.values = values;
    this.scale = scale;
  }

  /**
   * Integer features.
   *
   * @param codes [count, width], any int32, not copied
   * @param scale value of one code, above 0
   */
  public static Features ofCodes(int[] codes, float scale, int width) {
    return new Features(width, codes, null, scale);
  }

  /**
   * Float features.
   *
   * @param values [count, width], not copied
   * @throws InputException if a value is not finite
   */
  public static Features ofValues(float[] values, int width) {
    for (int i = 0; i < values.length; i++) {
      if (!Float.isFinite(values[i])) {
        throw new InputException(
            "features: row %d has %s in channel %d, expected finite numbers"
                .formatted(i / width, values[i], i % width));
      }
    }
    return new Features(width, null, values, 1);
  }

  /**
   * One after another.
   *
   * @param parts at least one, of the same model
   * @throws InputException if they are more numbers than an array holds
   */
  public static Features join(List<Features> parts) {
    Features first = parts.get(0);
    long total = parts.stream().mapToLong(p -> (long) p.count * p.width).sum();
    if (total > Integer.MAX_VALUE - 8) {
      throw new InputException(
          "features: %d rows of %d are more than memory holds at once"
              .formatted(total / first.width, first.width));
    }
    int[] codes = first.codes == null ? null : new int[(int) total];
    float[] values = first.codes == null ? new float[(int) total] : null;
    int at = 0;
    for (Features part : parts) {
      int length = part.count * part.width;
      System.arraycopy(
          codes == null ? part.values : part.codes, 0, codes == null ? values : codes, at, length);
      at += length;
    }
    return new Features(first.width, codes, values, first.scale);
  }

  /** Number of rows. */
  public int count() {
    return count;
  }

  /** Numbers of a row. */
  public int width() {
    return width;
  }

  /** Whether they are int32 codes. */
  public boolean integer() {
    return codes != null;
  }

  /** Value of one code; 1 for float features. */
  public float scale() {
    return scale;
  }

  /** The int32 codes [count, width], not a copy; null for float features. */
  public int[] codes() {
    return codes;
  }

  /** The float32 values [count, width], not a copy; null for integer features. */
  public float[] values() {
    return values;
  }

  /** The same as float32 values: of codes, each times the scale. */
  public Features real() {
    if (codes == null) {
      return this;
    }
    return ofValues(Logits.real(codes, scale), width);
  }
}
