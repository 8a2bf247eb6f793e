package org.ivit.train.operator.floating;

import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Rotary;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.Gemm;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Chunk;
import org.ivit.train.operator.ChunkedOperator;
import org.ivit.train.operator.DropPath;
import org.ivit.train.operator.Execution;
import org.ivit.train.parameter.PartSpec;
import org.ivit.train.parameter.RowOrder;

/**
 * A transformer block in floating point: {@code r = x + attn(norm1(x))}, {@code y = r +
 * mlp(norm2(r))}. Input and output are [batch, tokens, dim].
 */
public final class FloatBlock extends ChunkedOperator {
  private final Block site;

  /** Null where attention knows no positions. */
  private final RelativePositions positions;

  /** Null where all tokens lie in one window, in their own order. */
  private final RowOrder windows;

  private final FloatNorm norm1;
  private final FloatLinear qkv;

  /** Null where there are no rotary positions. */
  private final RotaryTurn rotary;

  private final FloatAttention attention;
  private final FloatLinear proj;
  private final FloatNorm norm2;
  private final FloatMlp mlp;
  private final DropPath drop1;
  private final DropPath drop2;

  /**
   * @param spec of the block
   * @param site name and sizes
   */
  public FloatBlock(PartSpec spec, Block site) {
    this(spec, site, site.rotary() == null ? null : site.rotary().table(site.headDim()));
  }

  /**
   * @param spec of the block
   * @param site name and sizes
   * @param table of its rotary positions; null where it has none
   */
  FloatBlock(PartSpec spec, Block site, Rotary.Table table) {
    super(spec.parameters(), site.tokens());
    this.site = site;
    this.positions = site.windows() == null ? null : new RelativePositions(layout(), site);
    this.windows = site.inOrder() ? null : new RowOrder(site.windows().order());
    int dim = site.dim();
    this.norm1 = new FloatNorm(layout(), "norm1", dim, site.epsilon());
    this.qkv = FloatLinear.of(layout(), spec, site.qkvLinear());
    this.rotary = table == null ? null : new RotaryTurn(site, table);
    this.attention = new FloatAttention(site, positions);
    this.proj = FloatLinear.of(layout(), spec, site.projLinear());
    this.norm2 = new FloatNorm(layout(), "norm2", dim, site.epsilon());
    this.mlp = FloatMlp.of(layout(), spec, site);
    this.drop1 = DropPath.of(spec, 0);
    this.drop2 = DropPath.of(spec, 1);
  }

  @Override
  protected void forward(Reals weights, Reals x, Reals y, Chunk chunk, Execution run) {
    int count = chunk.count();
    Buffers keep = chunk.keep();
    Buffers scratch = chunk.scratch();
    int tokens = site.tokens();
    int dim = site.dim();
    int rows = count * tokens;
    int from = chunk.first() * tokens * dim;
    Gemm gemm = run.gemm();

    Reals normed1 = keep.reals("norm1", rows * dim);
    if (windows == null) {
      norm1.forward(weights, x, from, dim, normed1, rows, scratch);
      run.tapped(site.norm1(), normed1, 0, rows * dim, dim);
    } else {
      Reals inPicture = scratch.reals("ordered", rows * dim);
      norm1.forward(weights, x, from, dim, inPicture, rows, scratch);
      run.tapped(site.norm1(), inPicture, 0, rows * dim, dim);
      windows.apply(inPicture, 0, normed1, count, dim);
    }
    Reals projections = keep.reals("qkv", rows * 3 * dim);
    qkv.forward(gemm, weights, normed1, projections, 0, rows);
    run.tapped(site.qkv(), projections, 0, rows * 3 * dim, 3 * dim);
    if (rotary != null) {
      rotary.forward(projections, count, scratch);
      run.tapped(site.rope(), projections, 0, rows * 3 * dim, 3 * dim);
    }
    int groups = count * site.groups();
    Reals probabilities = keep.reals("probabilities", groups * attention.probabilities());
    Reals context = keep.reals("context", rows * dim);
    attention.forward(run, weights, projections, probabilities, context, groups, scratch);
    run.tapped(site.context(), context, 0, rows * dim, dim);
    Reals branch = scratch.reals("branch", rows * dim);
    if (windows == null) {
      proj.forward(gemm, weights, context, branch, 0, rows);
      run.tapped(site.proj(), branch, 0, rows * dim, dim);
    } else {
      Reals inWindows = scratch.reals("ordered", rows * dim);
      proj.forward(gemm, weights, context, inWindows, 0, rows);
      run.tapped(site.proj(), inWindows, 0, rows * dim, dim);
      windows.undo(inWindows, branch, 0, count, dim);
    }
    Reals middle = keep.reals("residual1", rows * dim);
    residual(x, from, branch, middle, 0, drop1, chunk, run);
    run.tapped(site.residual1(), middle, 0, rows * dim, dim);

    Reals normed2 = keep.reals("norm2", rows * dim);
    norm2.forward(weights, middle, 0, dim, normed2, rows, scratch);
    run.tapped(site.norm2(), normed2, 0, rows * dim, dim);
    mlp.forward(weights, normed2, branch, rows, chunk, run);
    residual(middle, 0, branch, y, from, drop2, chunk, run);
    run.tapped(site.residual2(), y, from, rows * dim, dim);
  }

  private void residual(
      Reals identity,
      int identityFrom,
      Reals branch,
      Reals sum,
      int sumFrom,
      DropPath drop,
      Chunk chunk,
      Execution run) {
    int size = site.tokens() * site.dim();
    for (int i = 0; i < chunk.count(); i++) {
      double factor = chunk.training() ? drop.factor(run, chunk.first() + i) : 1;
      int at = i * size;
      FloatKernels.addScaled(
          identity,
          identityFrom + at,
          branch,
          at,
          factor,
          sum,
          sumFrom + at,
          size,
          chunk.scratch());
    }
  }

  @Override
  protected void backward(
      Reals weights, Reals x, Reals gy, Reals gx, Reals gradients, Chunk chunk, Execution run) {
    int count = chunk.count();
    Buffers keep = chunk.keep();
    Buffers scratch = chunk.scratch();
    int dim = site.dim();
    int rows = count * site.tokens();
    int size = site.tokens() * dim;
    int from = chunk.first() * size;
    Gemm gemm = run.gemm();

    Reals gBranch = scratch.reals("branch", rows * dim);
    FloatKernels.branchGradient(drop2, gy, from, gBranch, size, chunk, run);
    Reals gNorm = scratch.reals("gNorm", rows * dim);
    Reals normed2 = keep.reals("norm2", 0);
    mlp.backward(weights, normed2, gBranch, 0, gNorm, gradients, rows, chunk, run);
    Reals gMiddle = scratch.reals("gMiddle", rows * dim);
    gMiddle.put(0, gy, from, rows * dim);
    norm2.backward(
        weights, keep.reals("residual1", 0), 0, dim, gNorm, gMiddle, 0, gradients, rows, scratch);

    FloatKernels.branchGradient(drop1, gMiddle, 0, gBranch, size, chunk, run);
    if (windows != null) {
      Reals inWindows = scratch.reals("ordered", rows * dim);
      windows.apply(gBranch, 0, inWindows, count, dim);
      gBranch = inWindows;
    }
    if (positions != null) {
      positions.begin(scratch);
    }
    Reals gContext = scratch.reals("gContext", rows * dim);
    proj.backward(
        run, weights, keep.reals("context", 0), gBranch, 0, gContext, gradients, rows, scratch);
    Reals gQkv = scratch.reals("gQkv", rows * 3 * dim);
    Reals probabilities = keep.reals("probabilities", 0);
    attention.backward(
        gemm, keep.reals("qkv", 0), probabilities, gContext, gQkv, count * site.groups(), scratch);
    if (rotary != null) {
      rotary.backward(gQkv, count, scratch);
    }
    qkv.backward(run, weights, keep.reals("norm1", 0), gQkv, 0, gNorm, gradients, rows, scratch);
    if (positions != null) {
      positions.finish(gradients, scratch);
    }
    if (windows != null) {
      Reals inPicture = scratch.reals("ordered", rows * dim);
      windows.undo(gNorm, inPicture, 0, count, dim);
      gNorm = inPicture;
    }
    norm1.backward(weights, x, from, dim, gNorm, gMiddle, 0, gradients, rows, scratch);
    if (gx != null) {
      gx.put(from, gMiddle, 0, rows * dim);
    }
  }
}
