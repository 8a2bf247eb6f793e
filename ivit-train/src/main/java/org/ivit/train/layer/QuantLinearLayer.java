package org.ivit.train.layer;

import java.util.Objects;
import org.ivit.train.operator.Operator;
import org.ivit.train.operator.rows.LinearOperator;

/**
 * The paper's quantized linear layer over the last axis: 8-bit input and weights, 32-bit sums,
 * {@link LinearOperator}.
 */
public final class QuantLinearLayer extends RowLayer {
  private static final long serialVersionUID = 1L;

  private int outputBits;

  /** For Jackson. */
  public QuantLinearLayer() {}

  /** With 8-bit outputs. */
  public QuantLinearLayer(int inputs, int outputs) {
    this(inputs, outputs, 8);
  }

  /**
   * @param inputs input channels
   * @param outputs output channels
   * @param outputBits width of the output codes: 8, or 16 where a norm or a sum follows
   */
  public QuantLinearLayer(int inputs, int outputs, int outputBits) {
    super(inputs, outputs);
    this.outputBits = outputBits;
  }

  @Override
  public Operator operator() {
    return new LinearOperator(name(), inputs(), outputs(), outputBits);
  }

  /** Returns the width of the output codes. */
  public int getOutputBits() {
    return outputBits;
  }

  /** Sets the width of the output codes. */
  public void setOutputBits(int outputBits) {
    this.outputBits = outputBits;
  }

  @Override
  public boolean equals(Object other) {
    return super.equals(other)
        && other instanceof QuantLinearLayer that
        && outputBits == that.outputBits;
  }

  @Override
  protected boolean canEqual(Object other) {
    return other instanceof QuantLinearLayer;
  }

  @Override
  public int hashCode() {
    return Objects.hash(super.hashCode(), outputBits);
  }
}
