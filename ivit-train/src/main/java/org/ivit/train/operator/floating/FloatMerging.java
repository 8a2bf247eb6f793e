package org.ivit.train.operator.floating;

import org.ivit.core.architecture.Merging;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Chunk;
import org.ivit.train.operator.ChunkedOperator;
import org.ivit.train.operator.Execution;
import org.ivit.train.parameter.PartSpec;
import org.ivit.train.parameter.RowOrder;

/** Patch merging in floating point: [batch, tokens, dim] to [batch, tokens/4, 2·dim]. */
public final class FloatMerging extends ChunkedOperator {
  private final Merging stage;
  private final RowOrder order;
  private final FloatNorm norm;
  private final FloatLinear reduction;

  /**
   * @param spec of the merging
   * @param stage name and sizes
   */
  public FloatMerging(PartSpec spec, Merging stage) {
    super(spec.parameters(), stage.tokens());
    this.stage = stage;
    this.order = new RowOrder(stage.order());
    this.norm = new FloatNorm(layout(), "norm", stage.mergedDim(), stage.epsilon());
    this.reduction = FloatLinear.of(layout(), spec, stage.reduction());
  }

  @Override
  protected void forward(Reals weights, Reals x, Reals y, Chunk chunk, Execution run) {
    int first = chunk.first();
    int count = chunk.count();
    Buffers keep = chunk.keep();
    Buffers scratch = chunk.scratch();
    int dim = stage.dim();
    int tokens = stage.tokens();
    int rows = count * tokens / 4;
    Reals merged = keep.reals("merged", rows * 4 * dim);
    order.apply(x, first * tokens * dim, merged, count, dim);
    Reals normed = keep.reals("norm", rows * 4 * dim);
    norm.forward(weights, merged, 0, 4 * dim, normed, rows, scratch);
    run.tapped(stage.norm(), normed, 0, rows * 4 * dim, 4 * dim);
    int to = first * tokens / 2 * dim;
    reduction.forward(run.gemm(), weights, normed, y, to, rows);
    run.tapped(stage.output(), y, to, rows * 2 * dim, 2 * dim);
  }

  @Override
  protected void backward(
      Reals weights, Reals x, Reals gy, Reals gx, Reals gradients, Chunk chunk, Execution run) {
    int first = chunk.first();
    int count = chunk.count();
    Buffers keep = chunk.keep();
    Buffers scratch = chunk.scratch();
    int dim = stage.dim();
    int tokens = stage.tokens();
    int rows = count * tokens / 4;
    int from = first * tokens / 2 * dim;
    Reals gNorm = scratch.reals("gNorm", rows * 4 * dim);
    Reals normed = keep.reals("norm", 0);
    reduction.backward(run, weights, normed, gy, from, gNorm, gradients, rows, scratch);
    Reals gMerged = scratch.reals("gMerged", rows * 4 * dim);
    gMerged.clear(0, rows * 4 * dim);
    Reals merged = keep.reals("merged", 0);
    norm.backward(weights, merged, 0, 4 * dim, gNorm, gMerged, 0, gradients, rows, scratch);
    if (gx != null) {
      order.undo(gMerged, gx, first * tokens * dim, count, dim);
    }
  }
}
