package org.ivit.train.operator.integer;

import java.util.ArrayList;
import java.util.List;
import org.ivit.core.architecture.AttentionPooling;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.graph.IntegerAttentionPooling;
import org.ivit.core.graph.Linear;
import org.ivit.core.graph.build.NodeBuilder;
import org.ivit.core.scheme.NodeScales;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.Gemm;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Chunk;
import org.ivit.train.operator.DropPath;
import org.ivit.train.operator.Execution;
import org.ivit.train.operator.SeenRanges;
import org.ivit.train.operator.floating.FloatKernels;
import org.ivit.train.parameter.PartSpec;

/**
 * Attention pooling in integers: dequantized 16-bit codes [batch, tokens, dim] to dequantized
 * 16-bit codes [batch, 1, dim].
 */
public final class QuantizedAttentionPooling extends QuantizedPartOperator {
  private final AttentionPooling part;
  private final QuantNorm norm;
  private final QuantLinear scores;
  private final QuantLinear values;
  private final QuantQueryAttention attention;
  private final QuantLinear proj;
  private final QuantPlainMlp mlp;
  private float inputScale;

  /**
   * @param spec of the pooling
   * @param part sizes
   * @param scheme forms, widths, outlier channels
   */
  public QuantizedAttentionPooling(PartSpec spec, AttentionPooling part, Scheme scheme) {
    super(spec, part.tokens(), scheme);
    this.part = part;
    this.norm = new QuantNorm(spec.prefix(), layout(), part.norm(), part.dim());
    this.scores = QuantLinear.ofCodes(spec.prefix(), layout(), part.scoresLinear());
    this.values = QuantLinear.ofCodes(spec.prefix(), layout(), part.valuesLinear());
    this.attention = new QuantQueryAttention(part);
    this.proj = QuantLinear.ofCodes(spec.prefix(), layout(), part.projLinear());
    this.mlp =
        new QuantPlainMlp(
            spec.prefix(),
            layout(),
            scheme,
            part.fc1Linear(),
            part.act(),
            part.fc2Linear(),
            new QuantResidual(part.residual().name(), DropPath.NONE),
            1);
  }

  @Override
  List<QuantLinear> linears() {
    List<QuantLinear> linears = new ArrayList<>(List.of(scores, values, proj));
    linears.addAll(mlp.linears());
    return linears;
  }

  @Override
  protected void prepare(Reals weights, int batch, Execution run) {
    NodeBuilder nodes = nodes(weights);
    NodeScales scales = scales(weights);
    inputScale = inputScale(weights);
    List<Linear> built = prepared(linears(), nodes, scales, run);
    IntegerAttentionPooling pooling = nodes.attentionPooling(part, scales, inputScale, built);
    norm.prepare(pooling.norm(), weights, inputScale);
    attention.prepare(pooling.attention(), pooling.values().outputScale());
    mlp.prepare(
        pooling.norm2(),
        pooling.gelu(),
        weights,
        pooling.proj().outputScale(),
        pooling.residual().outputScale(),
        run.type());
  }

  @Override
  protected void forward(Reals weights, Reals x, Reals y, Chunk chunk, Execution run) {
    int count = chunk.count();
    Buffers keep = chunk.keep();
    Buffers scratch = chunk.scratch();
    SeenRanges seen = chunk.seen();
    Gemm gemm = run.gemm();
    int dim = part.dim();
    int rows = count * part.tokens();

    short[] input = keep.shorts("input", rows * dim);
    Codes.recover(x, chunk.first() * part.tokens() * dim, inputScale, input, rows * dim, scratch);
    byte[] codes = scratch.bytes("pool.norm", rows * dim);
    norm.forward(input, codes, rows, seen, scratch);
    Reals normed = keep.reals("norm", rows * dim);
    Codes.widen(codes, rows, dim, scheme.outliers(part.norm()), normed);
    byte[] scored = scratch.bytes("pool.scores", rows * part.heads());
    scores.forward(gemm, normed, codes, scored, rows, OutlierChannels.NONE, seen, scratch);
    byte[] valued = scratch.bytes("pool.values", rows * dim);
    values.forward(gemm, normed, codes, valued, rows, OutlierChannels.NONE, seen, scratch);
    keep.reals("values", rows * dim).put(0, valued, 0, rows * dim);

    Reals p = keep.reals("probabilities", count * attention.probabilities());
    byte[] weighted = scratch.bytes("pool.context", count * dim);
    attention.forward(scored, valued, p, weighted, count, seen, scratch);
    Reals context = keep.reals("context", count * dim);
    Codes.widen(weighted, count, dim, scheme.outliers(part.context()), context);
    short[] token = keep.shorts("proj", count * dim);
    proj.forward(gemm, context, weighted, token, count, OutlierChannels.NONE, seen, scratch);
    short[] out = scratch.shorts("output", count * dim);
    mlp.forward(token, out, chunk, run);
    Codes.dequantize(out, count * dim, mlp.outputScale(), y, chunk.first() * dim, scratch);
  }

  @Override
  protected void backward(
      Reals weights, Reals x, Reals gy, Reals gx, Reals gradients, Chunk chunk, Execution run) {
    int count = chunk.count();
    Buffers keep = chunk.keep();
    Buffers scratch = chunk.scratch();
    Gemm gemm = run.gemm();
    int dim = part.dim();
    int rows = count * part.tokens();

    Reals gToken = scratch.reals("gToken", count * dim);
    mlp.backward(keep.shorts("proj", 0), gy, chunk.first() * dim, gToken, gradients, chunk, run);
    Reals gContext = scratch.reals("gContext", count * dim);
    proj.backward(gemm, keep.reals("context", 0), gToken, 0, gContext, gradients, count, scratch);
    Reals gScores = scratch.reals("gScores", rows * part.heads());
    Reals gValues = scratch.reals("gValues", rows * dim);
    attention.backward(
        keep.reals("probabilities", 0),
        keep.reals("values", 0),
        gContext,
        gScores,
        gValues,
        count,
        scratch);
    Reals normed = keep.reals("norm", 0);
    Reals gNorm = scratch.reals("gTokens", rows * dim);
    values.backward(gemm, normed, gValues, 0, gNorm, gradients, rows, scratch);
    // The gradient by the values has done its work: its memory takes the other branch.
    scores.backward(gemm, normed, gScores, 0, gValues, gradients, rows, scratch);
    FloatKernels.addScaled(gNorm, 0, gValues, 0, 1, gNorm, 0, rows * dim, scratch);
    Reals target = gx == null ? scratch.reals("gInput", rows * dim) : gx;
    int at = gx == null ? 0 : chunk.first() * part.tokens() * dim;
    target.clear(at, rows * dim);
    short[] input = keep.shorts("input", 0);
    norm.backward(input, gNorm, target, at, dim, gradients, rows, scratch);
  }
}
