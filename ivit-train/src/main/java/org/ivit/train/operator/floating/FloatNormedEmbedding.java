package org.ivit.train.operator.floating;

import org.ivit.core.architecture.Node;
import org.ivit.core.architecture.Stem;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Chunk;
import org.ivit.train.operator.ChunkedOperator;
import org.ivit.train.operator.Execution;
import org.ivit.train.operator.PatchRows;
import org.ivit.train.parameter.PartSpec;

/**
 * Patch embedding with a norm, in floating point: [batch, 3, image, image] to [batch, patches,
 * dim].
 */
public final class FloatNormedEmbedding extends ChunkedOperator {
  private final Stem shape;
  private final PatchRows patchRows;
  private final FloatLinear proj;
  private final FloatNorm norm;

  /**
   * @param spec of the stem
   * @param shape sizes
   */
  public FloatNormedEmbedding(PartSpec spec, Stem shape) {
    super(spec.parameters(), shape.patches());
    this.shape = shape;
    this.patchRows = new PatchRows(shape);
    this.proj = new FloatLinear(layout(), Stem.PROJECTION, shape.patchInputs(), shape.dim());
    this.norm = new FloatNorm(layout(), shape.output().name(), shape.dim(), shape.epsilon());
  }

  @Override
  protected void forward(Reals weights, Reals x, Reals y, Chunk chunk, Execution run) {
    int first = chunk.first();
    int count = chunk.count();
    Buffers keep = chunk.keep();
    Buffers scratch = chunk.scratch();
    int patches = shape.patches();
    int dim = shape.dim();
    int rows = count * patches;
    Reals columns = keep.reals("patches", rows * shape.patchInputs());
    for (int i = 0; i < count; i++) {
      patchRows.unfold(x, (first + i) * shape.pixels(), columns, i * patches * shape.patchInputs());
    }
    run.tapped(Node.INPUT, columns, 0, rows * shape.patchInputs(), 1);
    Reals projected = keep.reals("projected", rows * dim);
    proj.forward(run.gemm(), weights, columns, projected, 0, rows);
    run.tapped(shape.projection().node(), projected, 0, rows * dim, dim);
    Reals normed = scratch.reals("normed", rows * dim);
    norm.forward(weights, projected, 0, dim, normed, rows, scratch);
    run.tapped(shape.output(), normed, 0, rows * dim, dim);
    y.put(first * patches * dim, normed, 0, rows * dim);
  }

  /** The gradient by the pixels is not computed: {@code gx} must be null. */
  @Override
  protected void backward(
      Reals weights, Reals x, Reals gy, Reals gx, Reals gradients, Chunk chunk, Execution run) {
    PatchRows.requireNoGradient(gx);
    int first = chunk.first();
    int count = chunk.count();
    Buffers keep = chunk.keep();
    Buffers scratch = chunk.scratch();
    int patches = shape.patches();
    int dim = shape.dim();
    int rows = count * patches;
    Reals gNormed = scratch.reals("normed", rows * dim);
    gNormed.put(0, gy, first * patches * dim, rows * dim);
    Reals gProjected = scratch.reals("gProjected", rows * dim);
    gProjected.clear(0, rows * dim);
    Reals projected = keep.reals("projected", 0);
    norm.backward(weights, projected, 0, dim, gNormed, gProjected, 0, gradients, rows, scratch);
    proj.backward(
        run.gemm(),
        weights,
        keep.reals("patches", 0),
        gProjected,
        0,
        null,
        gradients,
        rows,
        scratch);
  }
}
