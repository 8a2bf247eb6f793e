package org.ivit.train.layer;

import java.util.Objects;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.train.operator.Operator;
import org.ivit.train.operator.rows.ShiftGeluOperator;

/** The paper's integer GELU, or one of its other forms, {@link ShiftGeluOperator}. */
public final class ShiftGeluLayer extends RowLayer {
  private static final long serialVersionUID = 1L;

  private GeluForm form;

  /** For Jackson. */
  public ShiftGeluLayer() {}

  /**
   * @param channels length of a row, over which form {@code row} takes its maximum
   * @param form the paper's, its variant by element, or the exact one
   */
  public ShiftGeluLayer(int channels, GeluForm form) {
    super(channels, channels);
    this.form = form;
  }

  @Override
  public Operator operator() {
    return new ShiftGeluOperator(name(), inputs(), form);
  }

  /** Returns the form. */
  public GeluForm getForm() {
    return form;
  }

  /** Sets the form. */
  public void setForm(GeluForm form) {
    this.form = form;
  }

  @Override
  public boolean equals(Object other) {
    return super.equals(other) && other instanceof ShiftGeluLayer that && form == that.form;
  }

  @Override
  protected boolean canEqual(Object other) {
    return other instanceof ShiftGeluLayer;
  }

  @Override
  public int hashCode() {
    return Objects.hash(super.hashCode(), form);
  }
}
