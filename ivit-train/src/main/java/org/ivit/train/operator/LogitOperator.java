package org.ivit.train.operator;

/** An operator whose output are integer logits. */
public interface LogitOperator {
  /** The int32 logits of the last forward pass, [batch][classes]. */
  int[] logits();

  /** The scale of {@link #logits()}. */
  float logitScale();
}
