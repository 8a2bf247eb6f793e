package org.ivit.train.operator.integer;

import java.util.List;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.LinearSpec;
import org.ivit.core.architecture.Node;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.graph.IntegerBlock;
import org.ivit.core.graph.LayerNorm;
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

/**
 * Norm, MLP and residual addition of the quantized network on rows of a chunk, 16-bit codes to
 * 16-bit codes.
 */
abstract class QuantMlp {
  final Scheme scheme;
  final int hidden;
  private final Node normNode;
  private final Node activated;
  private final int tokens;
  private final int dim;
  private final QuantNorm norm;
  private final QuantLinear fc2;
  private final QuantResidual residual;

  /**
   * @param prefix what full names have before those within the operator
   * @param layout parameters of the operator
   * @param scheme forms, widths, outlier channels
   * @param first a product that reads the norm
   * @param last the product before the addition
   * @param residual the addition
   * @param tokens of a picture
   */
  QuantMlp(
      String prefix,
      ParameterLayout layout,
      Scheme scheme,
      LinearSpec first,
      LinearSpec last,
      QuantResidual residual,
      int tokens) {
    this.scheme = scheme;
    this.normNode = first.input();
    this.activated = last.input();
    this.tokens = tokens;
    this.dim = first.inputs();
    this.hidden = last.inputs();
    this.norm = new QuantNorm(prefix, layout, normNode, dim);
    this.fc2 = QuantLinear.ofCodes(prefix, layout, last);
    this.residual = residual;
  }

  /** That of a block; parameters as those of the constructor. */
  static QuantMlp of(
      String prefix, ParameterLayout layout, Scheme scheme, Block site, QuantResidual residual) {
    return site.gated()
        ? new QuantGatedMlp(prefix, layout, scheme, site, residual)
        : new QuantPlainMlp(
            prefix,
            layout,
            scheme,
            site.fc1Linear(),
            site.activations().get(0),
            site.fc2Linear(),
            residual,
            site.tokens());
  }

  /** All products, each to be prepared before {@link #prepare}, in the order of the part's. */
  abstract List<QuantLinear> linears();

  /**
   * Takes the other nodes of this pass.
   *
   * @param block that it belongs to
   */
  abstract void prepare(IntegerBlock block, Reals weights, RealType type);

  final QuantLinear last() {
    return fc2;
  }

  /** Takes the nodes at both ends. */
  final void prepareEnds(
      LayerNorm builtNorm, Reals weights, float inputScale, float outputScale, RealType type) {
    norm.prepare(builtNorm, weights, inputScale);
    residual.prepare(fc2.node().outputScale(), inputScale, outputScale, type);
  }

  /** The scale of its output. */
  final float outputScale() {
    return residual.node().outputScale();
  }

  /**
   * From the norm to what the last product reads.
   *
   * @param x codes of the norm as numbers, [rows][dim]
   * @param codes the codes themselves; receives 8-bit codes, [rows][hidden]
   */
  abstract void activate(Reals x, byte[] codes, int rows, Chunk chunk, Execution run);

  /**
   * Turns codes as numbers into values divided by the scale, where the two differ.
   *
   * @param active what the last product has read, [rows][hidden]
   */
  void addOffset(Reals active, int rows, Buffers scratch) {}

  /**
   * @param x codes of the norm as numbers
   * @param gActive gradient by what the last product reads; may be lost
   * @param gx receives the gradient by the norm, [rows][dim]
   */
  abstract void activateBackward(
      Reals x, Reals gActive, Reals gx, Reals gradients, int rows, Chunk chunk, Execution run);

  /**
   * @param x 16-bit codes, [rows][dim]; to be kept for the backward pass
   * @param out receives 16-bit codes, [rows][dim]
   */
  final void forward(short[] x, short[] out, Chunk chunk, Execution run) {
    Buffers keep = chunk.keep();
    Buffers scratch = chunk.scratch();
    SeenRanges values = chunk.seen();
    int rows = chunk.count() * tokens;
    byte[] codes = scratch.bytes("codes", rows * Math.max(dim, hidden));
    norm.forward(x, codes, rows, values, scratch);
    Reals normed = keep.reals("mlp.norm2", rows * dim);
    Codes.widen(codes, rows, dim, scheme.outliers(normNode), normed);
    activate(normed, codes, rows, chunk, run);
    Reals active = keep.reals("mlp.act", rows * hidden);
    Codes.widen(codes, rows, hidden, scheme.outliers(activated), active);
    short[] branch = scratch.shorts("branch", rows * dim);
    fc2.forward(run.gemm(), active, codes, branch, rows, OutlierChannels.NONE, values, scratch);
    if (chunk.training()) {
      addOffset(active, rows, scratch);
    }
    residual.forward(branch, x, out, tokens * dim, chunk, run);
  }

  /**
   * Straight through ({@code docs/arithmetic.md#straight-through-gradients}).
   *
   * @param x the codes of the forward pass
   * @param gy gradient by the output, from {@code from} on
   * @param gx receives the gradient by x, [rows][dim]
   */
  final void backward(
      short[] x, Reals gy, int from, Reals gx, Reals gradients, Chunk chunk, Execution run) {
    Buffers keep = chunk.keep();
    Buffers scratch = chunk.scratch();
    Gemm gemm = run.gemm();
    int rows = chunk.count() * tokens;
    Reals gBranch = scratch.reals("gBranch", rows * dim);
    FloatKernels.branchGradient(residual.drop(), gy, from, gBranch, tokens * dim, chunk, run);
    Reals gHidden = scratch.reals("gHidden", rows * hidden);
    fc2.backward(gemm, keep.reals("mlp.act", 0), gBranch, 0, gHidden, gradients, rows, scratch);
    Reals gNorm = scratch.reals("gNorm", rows * dim);
    Reals normed = keep.reals("mlp.norm2", 0);
    activateBackward(normed, gHidden, gNorm, gradients, rows, chunk, run);
    gx.put(0, gy, from, rows * dim);
    norm.backward(x, gNorm, gx, 0, dim, gradients, rows, scratch);
  }
}
