package org.ivit.train.operator.floating;

import org.ivit.core.architecture.Swin;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Execution;
import org.ivit.train.operator.KeptBuffers;
import org.ivit.train.operator.Operator;
import org.ivit.train.parameter.MergingShape;
import org.ivit.train.parameter.ParameterLayout;
import org.ivit.train.parameter.RowOrder;

/** Patch merging in floating point: [batch, tokens, dim] to [batch, tokens/4, 2·dim]. */
public final class FloatMerging implements Operator {
  private final Swin.Stage stage;
  private final ParameterLayout layout;
  private final RowOrder order;
  private final FloatNorm norm;
  private final FloatLinear reduction;
  private final KeptBuffers kept = new KeptBuffers();

  /**
   * @param stage the stage that it follows
   * @param epsilon added to the variance in the norm
   */
  public FloatMerging(Swin.Stage stage, double epsilon) {
    this.stage = stage;
    this.layout = MergingShape.parameters(stage);
    this.order = MergingShape.order(stage);
    this.norm = new FloatNorm(layout, MergingShape.NORM, 4 * stage.dim(), epsilon);
    this.reduction =
        new FloatLinear(layout, MergingShape.REDUCTION, 4 * stage.dim(), 2 * stage.dim());
  }

  @Override
  public ParameterLayout layout() {
    return layout;
  }

  @Override
  public void forward(Reals weights, Reals x, Reals y, int batch, boolean training, Execution run) {
    int dim = stage.dim();
    int tokens = stage.tokens();
    if (training) {
      kept.begin(batch, run.chunks(batch, tokens), run.type());
    }
    run.forEachChunk(
        batch,
        tokens,
        (chunk, first, count, part) -> {
          Buffers scratch = run.scratch(part);
          Buffers keep = training ? kept.chunk(chunk) : scratch;
          int rows = count * tokens / 4;
          Reals merged = keep.reals("merged", rows * 4 * dim);
          order.apply(x, first * tokens * dim, merged, count, dim);
          Reals normed = keep.reals("norm", rows * 4 * dim);
          norm.forward(weights, merged, 0, 4 * dim, normed, rows, scratch);
          run.tapped(stage.mergeNorm(), normed, 0, rows * 4 * dim, 4 * dim);
          int to = first * tokens / 2 * dim;
          reduction.forward(run.gemm(), weights, normed, y, to, rows);
          run.tapped(stage.reduction(), y, to, rows * 2 * dim, 2 * dim);
        });
  }

  @Override
  public void backward(
      Reals weights, Reals x, Reals gy, Reals gx, Reals gradients, int batch, Execution run) {
    kept.check(batch);
    int dim = stage.dim();
    int tokens = stage.tokens();
    run.forEachChunkWithGradients(
        batch,
        tokens,
        layout.size(),
        gradients,
        (chunk, first, count, part, sums) -> {
          Buffers scratch = run.scratch(part);
          Buffers keep = kept.chunk(chunk);
          int rows = count * tokens / 4;
          int from = first * tokens / 2 * dim;
          Reals gNorm = scratch.reals("gNorm", rows * 4 * dim);
          Reals normed = keep.reals("norm", 0);
          reduction.backward(run.gemm(), weights, normed, gy, from, gNorm, sums, rows, scratch);
          Reals gMerged = scratch.reals("gMerged", rows * 4 * dim);
          gMerged.clear(0, rows * 4 * dim);
          Reals merged = keep.reals("merged", 0);
          norm.backward(weights, merged, 0, 4 * dim, gNorm, gMerged, 0, sums, rows, scratch);
          if (gx != null) {
            order.undo(gMerged, gx, first * tokens * dim, count, dim);
          }
        });
  }
}
