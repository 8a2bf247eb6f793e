package org.ivit.train.device.pass;

import org.ivit.train.parameter.ParameterLayout;

/**
 * A part of a network on the device; its counterpart on the processor is an {@link
 * org.ivit.train.operator.Operator}. What passes from part to part lies at an address: 16-bit codes
 * or float32 [pictures, tokens, dim] forward, float32 back.
 */
public interface DevicePart extends AutoCloseable {
  /** The prefix of its parameters' timm names. */
  String prefix();

  /** The parameters, as its counterpart has them. */
  ParameterLayout layout();

  /** Draws what is random in a micro-batch, if anything is. */
  default void draw(Pass pass) {}

  /**
   * Runs a micro-batch forward and keeps what the way back needs.
   *
   * @param x address of the input
   * @param pictures of the micro-batch
   * @return address of the output
   */
  long forward(Pass pass, long x, int pictures);

  /**
   * Adds, or writes, the gradients of the parameters.
   *
   * @param gy address of the gradient by the output, which is lost
   * @return address of the gradient by the input; 0 where nobody wants it
   */
  long backward(Pass pass, long gy, int pictures);

  /** The scale of the output of this step where it is int32 logits; 0 elsewhere. */
  default float logitScale() {
    return 0;
  }

  @Override
  void close();
}
