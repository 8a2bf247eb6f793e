package org.ivit.train.layer;

import org.ivit.train.operator.Operator;
import org.ivit.train.operator.rows.ILayerNormOperator;

/** The paper's integer layer normalization over the last axis, {@link ILayerNormOperator}. */
public final class ILayerNormLayer extends RowLayer {
  private static final long serialVersionUID = 1L;

  /** For Jackson. */
  public ILayerNormLayer() {}

  /**
   * @param channels length of a row
   */
  public ILayerNormLayer(int channels) {
    super(channels, channels);
  }

  @Override
  public Operator operator() {
    return new ILayerNormOperator(name(), inputs());
  }

  @Override
  public boolean equals(Object other) {
    return super.equals(other) && other instanceof ILayerNormLayer;
  }

  @Override
  protected boolean canEqual(Object other) {
    return other instanceof ILayerNormLayer;
  }

  @Override
  public int hashCode() {
    return super.hashCode();
  }
}
