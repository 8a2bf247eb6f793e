package org.ivit.train.device.integer;

import org.ivit.train.device.pass.DevicePart;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.SeenRanges;

/**
 * A part of a quantized network on the device; its counterpart on the processor is a {@link
 * org.ivit.train.operator.QuantizedOperator}. Its output are 16-bit codes.
 */
public interface QuantizedPart extends DevicePart {
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

  /** Takes what the step observed. */
  void seen(Pass pass, SeenRanges seen);
}
