package org.ivit.train.operator.floating;

import org.ivit.core.architecture.LinearSpec;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.Gemm;
import org.ivit.train.memory.RealMatrix;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Execution;
import org.ivit.train.parameter.ParameterLayout;
import org.ivit.train.parameter.PartSpec;

/** A linear layer of the float network on rows of a chunk: {@code y = x·Wᵀ + b}, b if any. */
final class FloatLinear {
  private static final int NONE = -1;

  private final LinearSpec layer;
  private final int inputs;
  private final int outputs;
  private final int weightFrom;
  private final int biasFrom;

  private FloatLinear(ParameterLayout layout, String name, LinearSpec layer) {
    this.layer = layer;
    this.inputs = layer.inputs();
    this.outputs = layer.outputs();
    this.weightFrom = layout.from(name + ".weight");
    this.biasFrom = layout.contains(name + ".bias") ? layout.from(name + ".bias") : NONE;
  }

  /** The layer of a product of a part, by its name within the part. */
  static FloatLinear of(ParameterLayout layout, PartSpec spec, LinearSpec layer) {
    return new FloatLinear(layout, spec.local(layer.parameters()), layer);
  }

  void forward(Gemm gemm, Reals weights, Reals x, Reals y, int yFrom, int rows) {
    if (biasFrom == NONE) {
      y.clear(yFrom, rows * outputs);
    } else {
      FloatKernels.fillBias(weights, biasFrom, y, yFrom, rows, outputs);
    }
    gemm.multiply(
        1,
        new RealMatrix(x, 0, rows, inputs),
        new RealMatrix(weights, weightFrom, outputs, inputs).transpose(),
        1,
        new RealMatrix(y, yFrom, rows, outputs));
  }

  /**
   * Adds to {@code gradients}, or shows the rows to the tap of linear layers, where there is one;
   * writes {@code gx} unless it is null.
   */
  void backward(
      Execution run,
      Reals weights,
      Reals x,
      Reals gy,
      int gyFrom,
      Reals gx,
      Reals gradients,
      int rows,
      Buffers buffers) {
    RealMatrix g = new RealMatrix(gy, gyFrom, rows, outputs);
    if (!run.tappedLinear(layer, x, gy, gyFrom, rows)) {
      run.gemm()
          .multiply(
              1,
              g.transpose(),
              new RealMatrix(x, 0, rows, inputs),
              1,
              new RealMatrix(gradients, weightFrom, outputs, inputs));
      if (biasFrom != NONE) {
        FloatKernels.addColumnSums(gy, gyFrom, rows, outputs, gradients, biasFrom, buffers);
      }
    }
    if (gx != null) {
      RealMatrix weight = new RealMatrix(weights, weightFrom, outputs, inputs);
      run.gemm().multiply(1, g, weight, 0, new RealMatrix(gx, 0, rows, inputs));
    }
  }
}
