package org.ivit.train.layer;

import java.util.Objects;
import org.ivit.core.arithmetic.SoftmaxForm;
import org.ivit.train.operator.Operator;
import org.ivit.train.operator.rows.ShiftmaxOperator;

/** The paper's integer softmax over the last axis, or its exact form, {@link ShiftmaxOperator}. */
public final class ShiftmaxLayer extends RowLayer {
  private static final long serialVersionUID = 1L;

  private SoftmaxForm form;
  private int bits;

  /** For Jackson. */
  public ShiftmaxLayer() {}

  /**
   * @param channels length of a row
   * @param form the paper's or the exact one
   * @param bits width of the probabilities, 2 to 16
   */
  public ShiftmaxLayer(int channels, SoftmaxForm form, int bits) {
    super(channels, channels);
    this.form = form;
    this.bits = bits;
  }

  @Override
  public Operator operator() {
    return new ShiftmaxOperator(name(), inputs(), form, bits);
  }

  /** Returns the form. */
  public SoftmaxForm getForm() {
    return form;
  }

  /** Sets the form. */
  public void setForm(SoftmaxForm form) {
    this.form = form;
  }

  /** Returns the width of the probabilities. */
  public int getBits() {
    return bits;
  }

  /** Sets the width of the probabilities. */
  public void setBits(int bits) {
    this.bits = bits;
  }

  @Override
  public boolean equals(Object other) {
    return super.equals(other)
        && other instanceof ShiftmaxLayer that
        && form == that.form
        && bits == that.bits;
  }

  @Override
  protected boolean canEqual(Object other) {
    return other instanceof ShiftmaxLayer;
  }

  @Override
  public int hashCode() {
    return Objects.hash(super.hashCode(), form, bits);
  }
}
