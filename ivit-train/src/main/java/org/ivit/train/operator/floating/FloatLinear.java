package org.ivit.train.operator.floating;

import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.Gemm;
import org.ivit.train.memory.Reals;
import org.ivit.train.parameter.ParameterLayout;

/** A linear layer of the float network on rows of a chunk: {@code y = x·Wᵀ + b}, b if any. */
final class FloatLinear {
  private static final int NONE = -1;

  private final int inputs;
  private final int outputs;
  private final int weightFrom;
  private final int biasFrom;

  /**
   * @param name parameter prefix, such as {@code attn.qkv}
   */
  FloatLinear(ParameterLayout layout, String name, int inputs, int outputs) {
    this.inputs = inputs;
    this.outputs = outputs;
    this.weightFrom = layout.from(name + ".weight");
    this.biasFrom = layout.contains(name + ".bias") ? layout.from(name + ".bias") : NONE;
  }

  void forward(Gemm gemm, Reals weights, Reals x, Reals y, int yFrom, int rows) {
    if (biasFrom == NONE) {
      y.clear(yFrom, rows * outputs);
    } else {
      FloatKernels.fillBias(weights, biasFrom, y, yFrom, rows, outputs);
    }
    gemm.multiply(
        false,
        true,
        rows,
        outputs,
        inputs,
        1,
        x,
        0,
        inputs,
        weights,
        weightFrom,
        inputs,
        1,
        y,
        yFrom,
        outputs);
  }

  /** Adds to {@code gradients}; writes {@code gx} unless it is null. */
  void backward(
      Gemm gemm,
      Reals weights,
      Reals x,
      Reals gy,
      int gyFrom,
      Reals gx,
      Reals gradients,
      int rows,
      Buffers buffers) {
    gemm.multiply(
        true,
        false,
        outputs,
        inputs,
        rows,
        1,
        gy,
        gyFrom,
        outputs,
        x,
        0,
        inputs,
        1,
        gradients,
        weightFrom,
        inputs);
    if (biasFrom != NONE) {
      FloatKernels.addColumnSums(gy, gyFrom, rows, outputs, gradients, biasFrom, buffers);
    }
    if (gx != null) {
      gemm.multiply(
          false,
          false,
          rows,
          inputs,
          outputs,
          1,
          gy,
          gyFrom,
          outputs,
          weights,
          weightFrom,
          inputs,
          0,
          gx,
          0,
          inputs);
    }
  }
}
