package org.ivit.train.layer;

import java.util.Objects;

/** A block with norms, which in floating point have an ε. */
public abstract class NormBlockLayer extends BlockLayer {
  private static final long serialVersionUID = 1L;

  private double epsilon;

  /** For Jackson. */
  protected NormBlockLayer() {}

  /**
   * @param inputs channels of a token that comes in
   * @param outputs channels of a token, or classes, that go out
   * @param epsilon of the norms; the integer arithmetic has none
   * @param scheme JSON of {@link org.ivit.core.graph.SchemeJson} for integers, null for floating
   *     point
   */
  protected NormBlockLayer(int inputs, int outputs, double epsilon, String scheme) {
    super(inputs, outputs, scheme);
    this.epsilon = epsilon;
  }

  /** Returns the ε of the norms. */
  public double getEpsilon() {
    return epsilon;
  }

  /** Sets the ε of the norms. */
  public void setEpsilon(double epsilon) {
    this.epsilon = epsilon;
  }

  @Override
  public boolean equals(Object other) {
    return super.equals(other) && other instanceof NormBlockLayer that && epsilon == that.epsilon;
  }

  @Override
  protected boolean canEqual(Object other) {
    return other instanceof NormBlockLayer;
  }

  @Override
  public int hashCode() {
    return Objects.hash(super.hashCode(), epsilon);
  }
}
