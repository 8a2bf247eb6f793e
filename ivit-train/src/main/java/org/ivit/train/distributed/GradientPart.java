package org.ivit.train.distributed;

import java.io.Serializable;
import java.util.SortedMap;
import java.util.TreeMap;
import org.ivit.core.InputException;
import org.ivit.core.scheme.Range;
import org.ivit.train.step.StepSums;

/**
 * What the pictures of a step, or a part of them, contribute to it. Or why a worker refused: an
 * exception of a worker would lose its class on the way.
 */
public final class GradientPart implements Serializable {
  private static final long serialVersionUID = 1L;

  private final float[] gradient;
  private final double loss;
  private final int pictures;
  private final TreeMap<String, float[]> seen = new TreeMap<>();
  private final String refusal;

  private GradientPart(float[] gradient, double loss, int pictures, String refusal) {
    this.gradient = gradient;
    this.loss = loss;
    this.pictures = pictures;
    this.refusal = refusal;
  }

  /**
   * A part.
   *
   * @param gradient summed over the part's pictures; not copied
   * @param sums of the passes
   */
  public static GradientPart of(float[] gradient, StepSums sums) {
    GradientPart part = new GradientPart(gradient, sums.loss(), sums.pictures(), null);
    sums.seen()
        .forEach((node, range) -> part.seen.put(node, new float[] {range.min(), range.max()}));
    return part;
  }

  /** A part without pictures. */
  public static GradientPart none() {
    return new GradientPart(null, 0, 0, null);
  }

  /** A part that was refused, with the message for the user. */
  public static GradientPart refused(String message) {
    return new GradientPart(null, 0, 0, message);
  }

  /**
   * Both together; the gradient of one of them is overwritten. A refusal stays one.
   *
   * @param other of the same network
   */
  public GradientPart plus(GradientPart other) {
    if (refusal != null || (other.gradient == null && other.refusal == null)) {
      return this;
    }
    if (other.refusal != null || gradient == null) {
      return other;
    }
    for (int i = 0; i < gradient.length; i++) {
      gradient[i] += other.gradient[i];
    }
    GradientPart both =
        new GradientPart(gradient, loss + other.loss, pictures + other.pictures, null);
    both.seen.putAll(seen);
    other.seen.forEach(
        (node, range) ->
            both.seen.merge(
                node, range, (a, b) -> new float[] {Math.min(a[0], b[0]), Math.max(a[1], b[1])}));
    return both;
  }

  /**
   * The gradient, summed over the pictures.
   *
   * @throws InputException what a worker refused
   */
  public float[] gradient() {
    if (refusal != null) {
      throw new InputException(refusal);
    }
    return gradient;
  }

  /** Loss, pictures and ranges. */
  public StepSums sums() {
    SortedMap<String, Range> ranges = new TreeMap<>();
    seen.forEach((node, range) -> ranges.put(node, new Range(range[0], range[1])));
    return new StepSums(loss, pictures, ranges);
  }

  /** Pictures that contributed. */
  public int pictures() {
    return pictures;
  }
}
