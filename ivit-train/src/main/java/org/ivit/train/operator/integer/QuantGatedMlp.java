package org.ivit.train.operator.integer;

import java.util.List;
import org.ivit.core.architecture.Block;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.graph.IntegerBlock;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.Gemm;
import org.ivit.train.memory.RealType;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Chunk;
import org.ivit.train.operator.Execution;
import org.ivit.train.operator.SeenRanges;
import org.ivit.train.operator.floating.FloatKernels;
import org.ivit.train.parameter.ParameterLayout;

/** SwiGLU ({@code docs/arithmetic.md#swiglu}): a gate and a value, often without a norm behind. */
final class QuantGatedMlp extends QuantMlp {
  private final Block site;
  private final QuantLinear gate;
  private final QuantLinear value;
  private final QuantGating gating = new QuantGating();

  /** Null where there is none. */
  private final QuantNorm norm;

  /**
   * @param prefix what full names have before those within the operator
   * @param layout parameters of the operator
   * @param scheme forms, widths, outlier channels
   * @param site a block with a gated MLP
   * @param residual the addition
   */
  QuantGatedMlp(
      String prefix, ParameterLayout layout, Scheme scheme, Block site, QuantResidual residual) {
    super(prefix, layout, scheme, site.fc1Linear(), site.fc2Linear(), residual, site.tokens());
    this.site = site;
    this.gate = QuantLinear.ofCodes(prefix, layout, site.fc1Linear());
    this.value = QuantLinear.ofCodes(prefix, layout, site.valueLinear());
    this.norm =
        site.gatedNorm() ? new QuantNorm(prefix, layout, site.mlpNorm(), site.hidden()) : null;
  }

  @Override
  List<QuantLinear> linears() {
    return List.of(gate, value, last());
  }

  @Override
  void prepare(IntegerBlock block, Reals weights, RealType type) {
    prepareEnds(
        block.norm2(),
        weights,
        block.residual1().outputScale(),
        block.residual2().outputScale(),
        type);
    float gateScale = gate.node().outputScale();
    gating.prepare(block.gating(), gateScale, value.node().outputScale());
    if (norm != null) {
      norm.prepare(block.mlpNorm(), weights, block.gating().outputScale());
    }
  }

  @Override
  void activate(Reals x, byte[] codes, int rows, Chunk chunk, Execution run) {
    Buffers keep = chunk.keep();
    Buffers scratch = chunk.scratch();
    SeenRanges seen = chunk.seen();
    Gemm gemm = run.gemm();
    int size = rows * hidden;
    byte[] gates = keep.bytes("mlp.fc1", size);
    byte[] values = keep.bytes("mlp.value", size);
    gate.forward(gemm, x, codes, gates, rows, OutlierChannels.NONE, seen, scratch);
    value.forward(gemm, x, codes, values, rows, OutlierChannels.NONE, seen, scratch);
    if (norm == null) {
      gating.forward(gates, values, codes, rows, seen, scratch);
    } else {
      short[] gated = keep.shorts("mlp.gated", size);
      gating.forward(gates, values, gated, rows, seen, scratch);
      norm.forward(gated, codes, rows, seen, scratch);
    }
  }

  @Override
  void activateBackward(
      Reals x, Reals gActive, Reals gx, Reals gradients, int rows, Chunk chunk, Execution run) {
    Buffers keep = chunk.keep();
    Buffers scratch = chunk.scratch();
    Gemm gemm = run.gemm();
    int size = rows * hidden;
    Reals gValue = gActive;
    if (norm != null) {
      gValue = scratch.reals("gGated", size);
      gValue.clear(0, size);
      short[] gated = keep.shorts("mlp.gated", 0);
      norm.backward(gated, gActive, gValue, 0, hidden, gradients, rows, scratch);
    }
    Reals gGate = scratch.reals("gGate", size);
    byte[] gates = keep.bytes("mlp.fc1", 0);
    gating.backward(gates, keep.bytes("mlp.value", 0), gValue, gGate, rows, scratch);
    value.backward(gemm, x, gValue, 0, gx, gradients, rows, scratch);
    Reals more = scratch.reals("gInput", rows * site.dim());
    gate.backward(gemm, x, gGate, 0, more, gradients, rows, scratch);
    FloatKernels.addScaled(gx, 0, more, 0, 1, gx, 0, rows * site.dim(), scratch);
  }
}
