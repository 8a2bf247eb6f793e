package org.ivit.train.operator.integer;

import java.util.List;
import org.ivit.core.architecture.ActivationSpec;
import org.ivit.core.architecture.LinearSpec;
import org.ivit.core.graph.Gelu;
import org.ivit.core.graph.IntegerBlock;
import org.ivit.core.graph.LayerNorm;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.RealType;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Chunk;
import org.ivit.train.operator.Execution;
import org.ivit.train.parameter.ParameterLayout;

/** An MLP of two products with an activation function between them. */
final class QuantPlainMlp extends QuantMlp {
  private final ActivationSpec activation;
  private final QuantLinear fc1;
  private final QuantGelu gelu;

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
  QuantPlainMlp(
      String prefix,
      ParameterLayout layout,
      Scheme scheme,
      LinearSpec first,
      ActivationSpec activation,
      LinearSpec second,
      QuantResidual residual,
      int tokens) {
    super(prefix, layout, scheme, first, second, residual, tokens);
    this.activation = activation;
    this.fc1 = QuantLinear.ofCodes(prefix, layout, first);
    this.gelu = new QuantGelu(activation.node().name(), hidden, activation.function());
  }

  @Override
  List<QuantLinear> linears() {
    return List.of(fc1, last());
  }

  @Override
  void prepare(IntegerBlock block, Reals weights, RealType type) {
    prepare(
        block.norm2(),
        block.gelu(),
        weights,
        block.residual1().outputScale(),
        block.residual2().outputScale(),
        type);
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
    prepareEnds(builtNorm, weights, inputScale, outputScale, type);
    float scale = fc1.node().outputScale();
    gelu.prepare(builtGelu, scheme.gelu(), scale, scheme.outliers(activation.input()), type);
  }

  @Override
  void activate(Reals x, byte[] codes, int rows, Chunk chunk, Execution run) {
    byte[] before = chunk.keep().bytes("mlp.fc1", rows * hidden);
    fc1.forward(
        run.gemm(),
        x,
        codes,
        before,
        rows,
        scheme.outliers(activation.input()),
        chunk.seen(),
        chunk.scratch());
    gelu.forward(before, codes, rows, chunk.seen());
  }

  @Override
  void addOffset(Reals active, int rows, Buffers scratch) {
    gelu.addOffset(active, rows, scratch);
  }

  @Override
  void activateBackward(
      Reals x, Reals gActive, Reals gx, Reals gradients, int rows, Chunk chunk, Execution run) {
    gelu.backward(chunk.keep().bytes("mlp.fc1", 0), gActive, rows, chunk.scratch());
    fc1.backward(run.gemm(), x, gActive, 0, gx, gradients, rows, chunk.scratch());
  }
}
