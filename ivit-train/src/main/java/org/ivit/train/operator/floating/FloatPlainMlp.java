package org.ivit.train.operator.floating;

import org.ivit.core.architecture.ActivationSpec;
import org.ivit.core.architecture.LinearSpec;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Chunk;
import org.ivit.train.operator.Execution;
import org.ivit.train.parameter.ParameterLayout;
import org.ivit.train.parameter.PartSpec;

/** Two linear layers of the float network with an activation function between them. */
final class FloatPlainMlp implements FloatMlp {
  private final LinearSpec first;
  private final ActivationSpec activation;
  private final LinearSpec second;
  private final FloatLinear fc1;
  private final FloatLinear fc2;

  /** Null for GELU by the error function. */
  private final SigmoidGate gate;

  /**
   * @param layout parameters of the operator
   * @param spec of the part that has it
   */
  FloatPlainMlp(
      ParameterLayout layout,
      PartSpec spec,
      LinearSpec first,
      ActivationSpec activation,
      LinearSpec second) {
    this.first = first;
    this.activation = activation;
    this.second = second;
    this.fc1 = FloatLinear.of(layout, spec, first);
    this.fc2 = FloatLinear.of(layout, spec, second);
    this.gate = SigmoidGate.of(activation.function());
  }

  @Override
  public void forward(Reals weights, Reals x, Reals y, int rows, Chunk chunk, Execution run) {
    int channels = activation.channels();
    int size = rows * channels;
    Reals hidden = chunk.keep().reals("fc1", size);
    fc1.forward(run.gemm(), weights, x, hidden, 0, rows);
    run.tapped(first.node(), hidden, 0, size, channels);
    Reals active = chunk.keep().reals("act", size);
    if (gate == null) {
      FloatKernels.gelu(hidden, active, size, chunk.scratch());
    } else {
      gate.forward(hidden, active, size, chunk.scratch());
    }
    run.tapped(activation.node(), active, 0, size, channels);
    fc2.forward(run.gemm(), weights, active, y, 0, rows);
    run.tapped(second.node(), y, 0, rows * second.outputs(), second.outputs());
  }

  @Override
  public void backward(
      Reals weights,
      Reals x,
      Reals gy,
      int gyFrom,
      Reals gx,
      Reals gradients,
      int rows,
      Chunk chunk,
      Execution run) {
    Buffers keep = chunk.keep();
    Buffers scratch = chunk.scratch();
    int size = rows * activation.channels();
    Reals gHidden = scratch.reals("gHidden", size);
    Reals active = keep.reals("act", 0);
    fc2.backward(run, weights, active, gy, gyFrom, gHidden, gradients, rows, scratch);
    Reals hidden = keep.reals("fc1", 0);
    if (gate == null) {
      FloatKernels.geluBackward(hidden, gHidden, size, scratch);
    } else {
      gate.backward(hidden, gHidden, size, scratch);
    }
    fc1.backward(run, weights, x, gHidden, 0, gx, gradients, rows, scratch);
  }
}
