package org.ivit.train.layer;

import java.util.Objects;
import org.ivit.core.graph.Scheme;
import org.ivit.core.graph.SchemeJson;

/** A layer of one block, in floating point or, with a quantization scheme, in integers. */
public abstract class BlockLayer extends OperatorLayer {
  private static final long serialVersionUID = 1L;

  private String scheme;

  /** For Jackson. */
  protected BlockLayer() {}

  /**
   * @param inputs channels of a token that comes in
   * @param outputs channels of a token, or classes, that go out
   * @param scheme JSON of {@link SchemeJson} for integers, null for floating point
   */
  protected BlockLayer(int inputs, int outputs, String scheme) {
    this.nIn = inputs;
    this.nOut = outputs;
    this.scheme = scheme;
  }

  /** Whether it computes with integers. */
  protected final boolean quantized() {
    return scheme != null;
  }

  /** The scheme of {@link #getScheme()}; only where {@link #quantized()}. */
  protected final Scheme parsedScheme() {
    return SchemeJson.parse(scheme);
  }

  /** Returns the quantization scheme as JSON, null for floating point. */
  public String getScheme() {
    return scheme;
  }

  /** Sets the quantization scheme as JSON, null for floating point. */
  public void setScheme(String scheme) {
    this.scheme = scheme;
  }

  @Override
  public boolean equals(Object other) {
    return super.equals(other)
        && other instanceof BlockLayer that
        && Objects.equals(scheme, that.scheme);
  }

  @Override
  protected boolean canEqual(Object other) {
    return other instanceof BlockLayer;
  }

  @Override
  public int hashCode() {
    return Objects.hash(super.hashCode(), scheme);
  }
}
