package org.ivit.train.operator.floating;

import org.ivit.core.architecture.Block;
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
 * mlp(norm2(r))}, GELU with the error function. Input and output are [batch, tokens, dim].
 */
public final class FloatBlock extends ChunkedOperator {
  private static final int GELU_BLOCK = 1024;

  private final Block site;
  private final RelativePositions positions;
  private final RowOrder windows;
  private final FloatNorm norm1;
  private final FloatLinear qkv;
  private final FloatAttention attention;
  private final FloatLinear proj;
  private final FloatNorm norm2;
  private final FloatLinear fc1;
  private final FloatLinear fc2;
  private final DropPath drop1;
  private final DropPath drop2;

  /**
   * @param spec of the block
   * @param site name and sizes
   */
  public FloatBlock(PartSpec spec, Block site) {
    super(spec.parameters(), site.tokens());
    this.site = site;
    this.positions = site.windows() == null ? null : new RelativePositions(layout(), site);
    this.windows = site.windows() == null ? null : new RowOrder(site.windows().order());
    int dim = site.dim();
    this.norm1 = new FloatNorm(layout(), "norm1", dim, site.epsilon());
    this.qkv = new FloatLinear(layout(), "attn.qkv", dim, 3 * dim);
    this.attention = new FloatAttention(site, positions);
    this.proj = new FloatLinear(layout(), "attn.proj", dim, dim);
    this.norm2 = new FloatNorm(layout(), "norm2", dim, site.epsilon());
    this.fc1 = new FloatLinear(layout(), "mlp.fc1", dim, site.hidden());
    this.fc2 = new FloatLinear(layout(), "mlp.fc2", site.hidden(), dim);
    this.drop1 = DropPath.of(spec, 0);
    this.drop2 = DropPath.of(spec, 1);
  }

  @Override
  protected void forward(Reals weights, Reals x, Reals y, Chunk chunk, Execution run) {
    int first = chunk.first();
    int count = chunk.count();
    boolean training = chunk.training();
    Buffers keep = chunk.keep();
    Buffers scratch = chunk.scratch();
    int tokens = site.tokens();
    int dim = site.dim();
    int rows = count * tokens;
    int from = first * tokens * dim;
    Gemm gemm = run.gemm();
    double[] row = scratch.doubles("row", GELU_BLOCK);

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
    int perGroup = attention.probabilities();
    int groups = count * site.groups();
    int group = site.rowTokens() * dim;
    Reals probabilities = keep.reals("probabilities", groups * perGroup);
    Reals context = keep.reals("context", rows * dim);
    for (int i = 0; i < groups; i++) {
      attention.forward(
          run,
          weights,
          projections,
          i * 3 * group,
          probabilities,
          i * perGroup,
          context,
          i * group,
          i,
          scratch);
    }
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
    residual(
        x, from, branch, middle, 0, first, count, training ? drop1 : DropPath.NONE, run, scratch);
    run.tapped(site.residual1(), middle, 0, rows * dim, dim);

    Reals normed2 = keep.reals("norm2", rows * dim);
    norm2.forward(weights, middle, 0, dim, normed2, rows, scratch);
    run.tapped(site.norm2(), normed2, 0, rows * dim, dim);
    Reals hidden = keep.reals("fc1", rows * site.hidden());
    fc1.forward(gemm, weights, normed2, hidden, 0, rows);
    run.tapped(site.fc1(), hidden, 0, rows * site.hidden(), site.hidden());
    Reals active = keep.reals("act", rows * site.hidden());
    FloatKernels.gelu(hidden, active, rows * site.hidden(), row, GELU_BLOCK);
    run.tapped(site.act(), active, 0, rows * site.hidden(), site.hidden());
    fc2.forward(gemm, weights, active, branch, 0, rows);
    run.tapped(site.fc2(), branch, 0, rows * dim, dim);
    residual(
        middle, 0, branch, y, from, first, count, training ? drop2 : DropPath.NONE, run, scratch);
    run.tapped(site.residual2(), y, from, rows * dim, dim);
  }

  private void residual(
      Reals identity,
      int identityFrom,
      Reals branch,
      Reals sum,
      int sumFrom,
      int first,
      int count,
      DropPath drop,
      Execution run,
      Buffers scratch) {
    int size = site.tokens() * site.dim();
    for (int i = 0; i < count; i++) {
      double factor = factor(drop, run, first + i);
      for (int t = 0; t < size; t += site.dim()) {
        FloatKernels.addScaled(
            identity,
            identityFrom + i * size + t,
            branch,
            i * size + t,
            factor,
            sum,
            sumFrom + i * size + t,
            site.dim(),
            scratch);
      }
    }
  }

  private static double factor(DropPath drop, Execution run, int picture) {
    if (drop.rate() == 0) {
      return 1;
    }
    return drop.keeps(run.pictureKey(picture)) ? drop.factor() : 0;
  }

  @Override
  protected void backward(
      Reals weights, Reals x, Reals gy, Reals gx, Reals gradients, Chunk chunk, Execution run) {
    int first = chunk.first();
    int count = chunk.count();
    Buffers keep = chunk.keep();
    Buffers scratch = chunk.scratch();
    int tokens = site.tokens();
    int dim = site.dim();
    int hidden = site.hidden();
    int rows = count * tokens;
    int from = first * tokens * dim;
    Gemm gemm = run.gemm();

    Reals gBranch = scratch.reals("branch", rows * dim);
    branchGradient(gy, from, gBranch, first, count, drop2, run, scratch);
    Reals gHidden = scratch.reals("gHidden", rows * hidden);
    fc2.backward(
        gemm, weights, keep.reals("act", 0), gBranch, 0, gHidden, gradients, rows, scratch);
    FloatKernels.geluBackward(
        keep.reals("fc1", 0),
        gHidden,
        rows * hidden,
        scratch.doubles("row", GELU_BLOCK),
        scratch.doubles("row2", GELU_BLOCK),
        GELU_BLOCK);
    Reals gNorm = scratch.reals("gNorm", rows * dim);
    fc1.backward(
        gemm, weights, keep.reals("norm2", 0), gHidden, 0, gNorm, gradients, rows, scratch);
    Reals gMiddle = scratch.reals("gMiddle", rows * dim);
    gMiddle.put(0, gy, from, rows * dim);
    norm2.backward(
        weights, keep.reals("residual1", 0), 0, dim, gNorm, gMiddle, 0, gradients, rows, scratch);

    branchGradient(gMiddle, 0, gBranch, first, count, drop1, run, scratch);
    if (windows != null) {
      Reals inWindows = scratch.reals("ordered", rows * dim);
      windows.apply(gBranch, 0, inWindows, count, dim);
      gBranch = inWindows;
      positions.begin(scratch);
    }
    Reals gContext = scratch.reals("gContext", rows * dim);
    proj.backward(
        gemm, weights, keep.reals("context", 0), gBranch, 0, gContext, gradients, rows, scratch);
    Reals gQkv = scratch.reals("gQkv", rows * 3 * dim);
    int perGroup = attention.probabilities();
    int group = site.rowTokens() * dim;
    for (int i = 0; i < count * site.groups(); i++) {
      attention.backward(
          gemm,
          keep.reals("qkv", 0),
          i * 3 * group,
          1,
          keep.reals("probabilities", 0),
          i * perGroup,
          1,
          gContext,
          i * group,
          gQkv,
          i * 3 * group,
          scratch);
    }
    qkv.backward(gemm, weights, keep.reals("norm1", 0), gQkv, 0, gNorm, gradients, rows, scratch);
    if (windows != null) {
      positions.finish(gradients, scratch);
      Reals inPicture = scratch.reals("ordered", rows * dim);
      windows.undo(gNorm, inPicture, 0, count, dim);
      gNorm = inPicture;
    }
    norm1.backward(weights, x, from, dim, gNorm, gMiddle, 0, gradients, rows, scratch);
    if (gx != null) {
      gx.put(from, gMiddle, 0, rows * dim);
    }
  }

  private void branchGradient(
      Reals g,
      int from,
      Reals gBranch,
      int first,
      int count,
      DropPath drop,
      Execution run,
      Buffers scratch) {
    int size = site.tokens() * site.dim();
    for (int i = 0; i < count; i++) {
      double factor = factor(drop, run, first + i);
      if (factor == 1) {
        gBranch.put(i * size, g, from + i * size, size);
        continue;
      }
      for (int t = 0; t < size; t += site.dim()) {
        FloatKernels.scale(
            g, from + i * size + t, factor, gBranch, i * size + t, site.dim(), scratch);
      }
    }
  }
}
