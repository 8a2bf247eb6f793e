package org.ivit.train.operator.floating;

import org.ivit.core.architecture.AttentionPooling;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.Gemm;
import org.ivit.train.memory.RealMatrix;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Chunk;
import org.ivit.train.operator.ChunkedOperator;
import org.ivit.train.operator.Execution;
import org.ivit.train.parameter.PartSpec;

/**
 * Attention pooling in floating point: {@code n = norm(x)}, {@code z = proj(softmax(scores(n))·
 * v(n))} of each head, {@code y = z + mlp(norm2(z))}: [batch, tokens, dim] to [batch, 1, dim].
 */
public final class FloatAttentionPooling extends ChunkedOperator {
  private final AttentionPooling site;
  private final FloatNorm norm;
  private final FloatLinear scores;
  private final FloatLinear values;
  private final FloatLinear proj;
  private final FloatNorm norm2;
  private final FloatPlainMlp mlp;

  /**
   * @param spec of the pooling
   * @param site sizes
   */
  public FloatAttentionPooling(PartSpec spec, AttentionPooling site) {
    super(spec.parameters(), site.tokens());
    this.site = site;
    int dim = site.dim();
    this.norm = new FloatNorm(layout(), site.norm().name(), dim, site.epsilon());
    this.scores = FloatLinear.of(layout(), spec, site.scoresLinear());
    this.values = FloatLinear.of(layout(), spec, site.valuesLinear());
    this.proj = FloatLinear.of(layout(), spec, site.projLinear());
    this.norm2 = new FloatNorm(layout(), site.norm2().name(), dim, site.epsilon());
    this.mlp = new FloatPlainMlp(layout(), spec, site.fc1Linear(), site.act(), site.fc2Linear());
  }

  @Override
  protected void forward(Reals weights, Reals x, Reals y, Chunk chunk, Execution run) {
    int count = chunk.count();
    Buffers keep = chunk.keep();
    Buffers scratch = chunk.scratch();
    int dim = site.dim();
    int heads = site.heads();
    int rows = count * site.tokens();
    Gemm gemm = run.gemm();

    Reals normed = keep.reals("norm", rows * dim);
    norm.forward(weights, x, chunk.first() * site.tokens() * dim, dim, normed, rows, scratch);
    run.tapped(site.norm(), normed, 0, rows * dim, dim);
    Reals byToken = scratch.reals("scores", rows * heads);
    scores.forward(gemm, weights, normed, byToken, 0, rows);
    run.tapped(site.scoresLinear().node(), byToken, 0, rows * heads, heads);
    Reals v = keep.reals("values", rows * dim);
    values.forward(gemm, weights, normed, v, 0, rows);
    run.tapped(site.valuesLinear().node(), v, 0, rows * dim, dim);

    Reals p = keep.reals("probabilities", rows * heads);
    transpose(byToken, p, count, site.tokens(), heads, scratch);
    double[] row = scratch.doubles("attention.row", site.tokens());
    FloatKernels.softmax(p, 0, count * heads, site.tokens(), row);
    Reals context = keep.reals("context", count * dim);
    for (int i = 0; i < count; i++) {
      for (int head = 0; head < heads; head++) {
        gemm.multiply(1, row(p, i, head), ofHead(v, i, head), 0, ofContext(context, i, head));
      }
    }
    run.tapped(site.context(), context, 0, count * dim, dim);

    Reals projected = keep.reals("proj", count * dim);
    proj.forward(gemm, weights, context, projected, 0, count);
    run.tapped(site.projLinear().node(), projected, 0, count * dim, dim);
    Reals normed2 = keep.reals("norm2", count * dim);
    norm2.forward(weights, projected, 0, dim, normed2, count, scratch);
    run.tapped(site.norm2(), normed2, 0, count * dim, dim);
    Reals branch = scratch.reals("branch", count * dim);
    mlp.forward(weights, normed2, branch, count, chunk, run);
    int to = chunk.first() * dim;
    FloatKernels.addScaled(projected, 0, branch, 0, 1, y, to, count * dim, scratch);
    run.tapped(site.residual(), y, to, count * dim, dim);
  }

  /** Probabilities of a head, [1][tokens]. */
  private RealMatrix row(Reals p, int picture, int head) {
    int from = (picture * site.heads() + head) * site.tokens();
    return new RealMatrix(p, from, 1, site.tokens());
  }

  /** Values of a head, [tokens][head width]. */
  private RealMatrix ofHead(Reals v, int picture, int head) {
    int from = picture * site.tokens() * site.dim() + head * site.headDim();
    return new RealMatrix(v, from, site.tokens(), site.headDim(), site.dim());
  }

  /** Context of a head, [1][head width]. */
  private RealMatrix ofContext(Reals context, int picture, int head) {
    int from = picture * site.dim() + head * site.headDim();
    return new RealMatrix(context, from, 1, site.headDim());
  }

  /** Turns [pictures][rows][columns] into [pictures][columns][rows]. */
  private static void transpose(
      Reals from, Reals to, int pictures, int rows, int columns, Buffers scratch) {
    int size = rows * columns;
    double[] source = scratch.doubles("transpose.from", size);
    double[] target = scratch.doubles("transpose.to", size);
    for (int i = 0; i < pictures; i++) {
      from.get(i * size, source, 0, size);
      for (int r = 0; r < rows; r++) {
        for (int c = 0; c < columns; c++) {
          target[c * rows + r] = source[r * columns + c];
        }
      }
      to.put(i * size, target, 0, size);
    }
  }

  @Override
  protected void backward(
      Reals weights, Reals x, Reals gy, Reals gx, Reals gradients, Chunk chunk, Execution run) {
    int count = chunk.count();
    Buffers keep = chunk.keep();
    Buffers scratch = chunk.scratch();
    int dim = site.dim();
    int heads = site.heads();
    int tokens = site.tokens();
    int rows = count * tokens;
    Gemm gemm = run.gemm();

    int from = chunk.first() * dim;
    Reals gNorm2 = scratch.reals("gNorm2", count * dim);
    Reals normed2 = keep.reals("norm2", 0);
    mlp.backward(weights, normed2, gy, from, gNorm2, gradients, count, chunk, run);
    Reals gProj = scratch.reals("gProj", count * dim);
    gProj.put(0, gy, from, count * dim);
    Reals projected = keep.reals("proj", 0);
    norm2.backward(weights, projected, 0, dim, gNorm2, gProj, 0, gradients, count, scratch);
    Reals gContext = scratch.reals("gContext", count * dim);
    Reals context = keep.reals("context", 0);
    proj.backward(run, weights, context, gProj, 0, gContext, gradients, count, scratch);

    Reals p = keep.reals("probabilities", 0);
    Reals v = keep.reals("values", 0);
    Reals g = scratch.reals("attention.g", rows * heads);
    Reals gValues = scratch.reals("gValues", rows * dim);
    for (int i = 0; i < count; i++) {
      for (int head = 0; head < heads; head++) {
        RealMatrix byContext = ofContext(gContext, i, head);
        gemm.multiply(1, row(p, i, head).transpose(), byContext, 0, ofHead(gValues, i, head));
        gemm.multiply(1, byContext, ofHead(v, i, head).transpose(), 0, row(g, i, head));
      }
    }
    double[] probabilities = scratch.doubles("attention.p", tokens);
    double[] row = scratch.doubles("attention.row", tokens);
    FloatKernels.softmaxBackward(p, 0, 1, g, count * heads, tokens, probabilities, row);
    Reals gScores = scratch.reals("scores", rows * heads);
    transpose(g, gScores, count, heads, tokens, scratch);

    Reals normed = keep.reals("norm", 0);
    Reals gNorm = scratch.reals("gNorm", rows * dim);
    values.backward(run, weights, normed, gValues, 0, gNorm, gradients, rows, scratch);
    Reals byScores = scratch.reals("gNormByScores", rows * dim);
    scores.backward(run, weights, normed, gScores, 0, byScores, gradients, rows, scratch);
    FloatKernels.addScaled(gNorm, 0, byScores, 0, 1, gNorm, 0, rows * dim, scratch);
    Reals target = gx == null ? scratch.reals("gInput", rows * dim) : gx;
    int at = gx == null ? 0 : from * tokens;
    target.clear(at, rows * dim);
    norm.backward(weights, x, from * tokens, dim, gNorm, target, at, gradients, rows, scratch);
  }
}
