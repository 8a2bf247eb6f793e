package org.ivit.train.operator.integer;

import java.util.List;
import org.ivit.core.architecture.ActivationSpec;
import org.ivit.core.architecture.LinearSpec;
import org.ivit.core.architecture.Node;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.graph.Gelu;
import org.ivit.core.graph.LayerNorm;
import org.ivit.core.graph.Linear;
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
final class QuantMlp {
  private final Scheme scheme;
  private final Node normNode;
  private final ActivationSpec activation;
  private final int tokens;
  private final int dim;
  private final int hidden;
  private final QuantNorm norm;
  private final QuantLinear fc1;
  private final QuantGelu gelu;
  private final QuantLinear fc2;
  private final QuantResidual residual;

  /**
   * @param prefix what full names have before those within the operator
   * @param layout parameters of the operator
   * @param scheme forms, widths, outlier channels
   * @param first the product before the activation function, whose input is the norm
   * @param activation the function
   * @param second the product behind it
   * @param residual the addition
   * @param tokens of a picture
   */
  QuantMlp(
      String prefix,
      ParameterLayout layout,
      Scheme scheme,
      LinearSpec first,
      ActivationSpec activation,
      LinearSpec second,
      QuantResidual residual,
      int tokens) {
    this.scheme = scheme;
    this.normNode = first.input();
    this.activation = activation;
    this.tokens = tokens;
    this.dim = first.inputs();
    this.hidden = activation.channels();
    this.norm = new QuantNorm(prefix, layout, normNode, dim);
    this.fc1 = QuantLinear.ofCodes(prefix, layout, first);
    this.gelu = new QuantGelu(activation.node().name(), hidden, activation.function());
    this.fc2 = QuantLinear.ofCodes(prefix, layout, second);
    this.residual = residual;
  }

  /** The two products, each to be prepared before {@link #prepare}. */
  List<QuantLinear> linears() {
    return List.of(fc1, fc2);
  }

  /**
   * Takes the other nodes of this pass.
   *
   * @param inputScale scale of the codes that it takes
   * @param outputScale scale of the codes that it gives
   */
  void prepare(
      LayerNorm builtNorm,
      Gelu builtGelu,
      Reals weights,
      float inputScale,
      float outputScale,
      RealType type) {
    norm.prepare(builtNorm, weights, inputScale);
    Linear first = fc1.node();
    gelu.prepare(
        builtGelu, scheme.gelu(), first.outputScale(), scheme.outliers(activation.input()), type);
    residual.prepare(fc2.node().outputScale(), inputScale, outputScale, type);
  }

  /** The scale of its output. */
  float outputScale() {
    return residual.node().outputScale();
  }

  /**
   * @param x 16-bit codes, [rows][dim]; to be kept for the backward pass
   * @param out receives 16-bit codes, [rows][dim]
   */
  void forward(short[] x, short[] out, Chunk chunk, Execution run) {
    Buffers keep = chunk.keep();
    Buffers scratch = chunk.scratch();
    SeenRanges values = chunk.seen();
    Gemm gemm = run.gemm();
    int rows = chunk.count() * tokens;
    byte[] codes = scratch.bytes("codes", rows * Math.max(dim, hidden));
    norm.forward(x, codes, rows, values, scratch);
    Reals normed = keep.reals("mlp.norm", rows * dim);
    Codes.widen(codes, rows, dim, scheme.outliers(normNode), normed);
    byte[] before = keep.bytes("mlp.fc1", rows * hidden);
    OutlierChannels apart = scheme.outliers(activation.input());
    fc1.forward(gemm, normed, codes, before, rows, apart, values, scratch);
    gelu.forward(before, codes, rows, values);
    Reals active = keep.reals("mlp.act", rows * hidden);
    Codes.widen(codes, rows, hidden, scheme.outliers(activation.node()), active);
    short[] branch = scratch.shorts("branch", rows * dim);
    fc2.forward(gemm, active, codes, branch, rows, OutlierChannels.NONE, values, scratch);
    if (chunk.training()) {
      gelu.addOffset(active, rows, scratch);
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
  void backward(
      short[] x, Reals gy, int from, Reals gx, Reals gradients, Chunk chunk, Execution run) {
    Buffers keep = chunk.keep();
    Buffers scratch = chunk.scratch();
    Gemm gemm = run.gemm();
    int rows = chunk.count() * tokens;
    Reals gBranch = scratch.reals("gBranch", rows * dim);
    FloatKernels.branchGradient(residual.drop(), gy, from, gBranch, tokens * dim, chunk, run);
    Reals gHidden = scratch.reals("gHidden", rows * hidden);
    fc2.backward(gemm, keep.reals("mlp.act", 0), gBranch, 0, gHidden, gradients, rows, scratch);
    gelu.backward(keep.bytes("mlp.fc1", 0), gHidden, rows, scratch);
    Reals gNorm = scratch.reals("gNorm", rows * dim);
    fc1.backward(gemm, keep.reals("mlp.norm", 0), gHidden, 0, gNorm, gradients, rows, scratch);
    gx.put(0, gy, from, rows * dim);
    norm.backward(x, gNorm, gx, 0, dim, gradients, rows, scratch);
  }
}
