package org.ivit.train.operator.floating;

import org.ivit.core.architecture.Block;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Chunk;
import org.ivit.train.operator.Execution;
import org.ivit.train.parameter.ParameterLayout;
import org.ivit.train.parameter.PartSpec;

/** What follows the second norm of a block of the float network. */
interface FloatMlp {
  /**
   * @param layout parameters of the operator
   * @param spec of the part that has it
   * @param site the block
   */
  static FloatMlp of(ParameterLayout layout, PartSpec spec, Block site) {
    return site.gated()
        ? new FloatGatedMlp(layout, spec, site)
        : new FloatPlainMlp(
            layout, spec, site.fc1Linear(), site.activations().get(0), site.fc2Linear());
  }

  /** Takes rows of x to rows of y, and keeps what {@link #backward} needs. */
  void forward(Reals weights, Reals x, Reals y, int rows, Chunk chunk, Execution run);

  /**
   * Writes the gradient by x, and adds to {@code gradients}.
   *
   * @param x rows of the forward pass
   * @param gy gradient by y, from {@code gyFrom} on
   */
  void backward(
      Reals weights,
      Reals x,
      Reals gy,
      int gyFrom,
      Reals gx,
      Reals gradients,
      int rows,
      Chunk chunk,
      Execution run);
}
