package org.ivit.train.operator.floating;

import org.ivit.core.architecture.Block;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.Gemm;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Chunk;
import org.ivit.train.operator.Execution;
import org.ivit.train.parameter.ParameterLayout;
import org.ivit.train.parameter.PartSpec;

/**
 * SwiGLU of the float network: {@code y = fc2(norm(silu(fc1_g(x))·fc1_x(x)))}, often without norm.
 */
final class FloatGatedMlp implements FloatMlp {
  private final Block site;
  private final FloatLinear gate;
  private final FloatLinear value;

  /** Null where there is none. */
  private final FloatNorm norm;

  private final FloatLinear fc2;

  /**
   * @param layout parameters of the operator
   * @param spec of the part that has it
   * @param site a block with a gated MLP
   */
  FloatGatedMlp(ParameterLayout layout, PartSpec spec, Block site) {
    this.site = site;
    this.gate = FloatLinear.of(layout, spec, site.fc1Linear());
    this.value = FloatLinear.of(layout, spec, site.valueLinear());
    this.norm =
        site.gatedNorm() ? new FloatNorm(layout, "mlp.norm", site.hidden(), site.epsilon()) : null;
    this.fc2 = FloatLinear.of(layout, spec, site.fc2Linear());
  }

  @Override
  public void forward(Reals weights, Reals x, Reals y, int rows, Chunk chunk, Execution run) {
    Buffers keep = chunk.keep();
    Gemm gemm = run.gemm();
    int hidden = site.hidden();
    int size = rows * hidden;
    Reals gates = keep.reals("fc1", size);
    gate.forward(gemm, weights, x, gates, 0, rows);
    run.tapped(site.fc1(), gates, 0, size, hidden);
    Reals values = keep.reals("value", size);
    value.forward(gemm, weights, x, values, 0, rows);
    run.tapped(site.valueLinear().node(), values, 0, size, hidden);
    Reals active = keep.reals("act", size);
    SigmoidGate.SILU.forward(gates, active, size, chunk.scratch());
    FloatKernels.multiply(active, values, size, chunk.scratch());
    run.tapped(site.act(), active, 0, size, hidden);
    if (norm != null) {
      Reals normed = keep.reals("mlp.norm", size);
      norm.forward(weights, active, 0, hidden, normed, rows, chunk.scratch());
      run.tapped(site.mlpNorm(), normed, 0, size, hidden);
      active = normed;
    }
    fc2.forward(gemm, weights, active, y, 0, rows);
    run.tapped(site.fc2(), y, 0, rows * site.dim(), site.dim());
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
    int hidden = site.hidden();
    int size = rows * hidden;
    Reals gActive = scratch.reals("gHidden", size);
    Reals read = keep.reals(norm == null ? "act" : "mlp.norm", 0);
    fc2.backward(run, weights, read, gy, gyFrom, gActive, gradients, rows, scratch);
    if (norm != null) {
      Reals gNormed = gActive;
      gActive = scratch.reals("gActive", size);
      gActive.clear(0, size);
      Reals active = keep.reals("act", 0);
      norm.backward(weights, active, 0, hidden, gNormed, gActive, 0, gradients, rows, scratch);
    }
    Reals gates = keep.reals("fc1", 0);
    Reals gGate = scratch.reals("gGate", size);
    gGate.put(0, gActive, 0, size);
    FloatKernels.multiply(gGate, keep.reals("value", 0), size, scratch);
    SigmoidGate.SILU.backward(gates, gGate, size, scratch);
    Reals gValue = scratch.reals("gValue", size);
    SigmoidGate.SILU.forward(gates, gValue, size, scratch);
    FloatKernels.multiply(gValue, gActive, size, scratch);
    value.backward(run, weights, x, gValue, 0, gx, gradients, rows, scratch);
    Reals more = scratch.reals("gInput", rows * site.dim());
    gate.backward(run, weights, x, gGate, 0, more, gradients, rows, scratch);
    FloatKernels.addScaled(gx, 0, more, 0, 1, gx, 0, rows * site.dim(), scratch);
  }
}
