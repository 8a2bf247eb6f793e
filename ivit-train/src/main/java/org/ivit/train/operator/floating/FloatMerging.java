package org.ivit.train.operator.floating;

import org.ivit.core.architecture.Swin;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Chunk;
import org.ivit.train.operator.ChunkedOperator;
import org.ivit.train.operator.Execution;
import org.ivit.train.parameter.MergingShape;
import org.ivit.train.parameter.RowOrder;

/** Patch merging in floating point: [batch, tokens, dim] to [batch, tokens/4, 2·dim]. */
public final class FloatMerging extends ChunkedOperator {
  private final Swin.Stage stage;
  private final RowOrder order;
  private final FloatNorm norm;
  private final FloatLinear reduction;

  /**
   * @param stage the stage that it follows
   * @param epsilon added to the variance in the norm
   */
  public FloatMerging(Swin.Stage stage, double epsilon) {
    super(MergingShape.parameters(stage), stage.tokens());
    this.stage = stage;
    this.order = MergingShape.order(stage);
    this.norm = new FloatNorm(layout(), MergingShape.NORM, 4 * stage.dim(), epsilon);
    this.reduction =
        new FloatLinear(layout(), MergingShape.REDUCTION, 4 * stage.dim(), 2 * stage.dim());
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
    run.tapped(stage.mergeNorm(), normed, 0, rows * 4 * dim, 4 * dim);
    int to = first * tokens / 2 * dim;
    reduction.forward(run.gemm(), weights, normed, y, to, rows);
    run.tapped(stage.reduction(), y, to, rows * 2 * dim, 2 * dim);
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
    reduction.backward(run.gemm(), weights, normed, gy, from, gNorm, gradients, rows, scratch);
    Reals gMerged = scratch.reals("gMerged", rows * 4 * dim);
    gMerged.clear(0, rows * 4 * dim);
    Reals merged = keep.reals("merged", 0);
    norm.backward(weights, merged, 0, 4 * dim, gNorm, gMerged, 0, gradients, rows, scratch);
    if (gx != null) {
      order.undo(gMerged, gx, first * tokens * dim, count, dim);
    }
  }
}
