package org.ivit.train.operator;

/** The last operator of a quantized network. */
public interface IntegerHead extends QuantizedOperator {
  /** The int32 logits of the last forward pass, [batch][classes]. */
  int[] logits();

  /** The scale of {@link #logits()}. */
  float logitScale();
}
