package org.ivit.train.device;

import org.ivit.train.operator.ParameterLayout;
import org.ivit.train.operator.Reals;
import org.ivit.train.operator.SeenRanges;

/**
 * A part of a quantized network on the device; its counterpart on the processor is a {@link
 * org.ivit.train.operator.QuantizedOperator}. Codes and gradients pass from part to part by
 * address: 16-bit codes [pictures, tokens, dim] forward, float32 back.
 */
interface DevicePart extends AutoCloseable {
  /** The parameters, as its counterpart has them. */
  ParameterLayout layout();

  /**
   * Quantizes the matrices for this step.
   *
   * @param weights of the network; of its matrices only what lies on the device counts
   * @throws org.ivit.core.InputException naming a node that has no range
   */
  void quantize(Pass pass, Reals weights);

  /**
   * Builds the nodes of this step; may run beside that of other parts.
   *
   * @param weights of the network, ranges included
   * @throws org.ivit.core.InputException naming a node that has no range, or fails a bound
   */
  void build(Pass pass, Reals weights);

  /**
   * Hands the constants of the nodes to the upload.
   *
   * @param weights of the network
   */
  void prepare(Pass pass, Reals weights);

  /** Brings constants into the forms that kernels read, after the upload. */
  void load(Pass pass);

  /** Draws what is random in a micro-batch. */
  void draw(Pass pass);

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

  /** Takes what the step observed. */
  void seen(Pass pass, SeenRanges seen);

  @Override
  void close();
}
