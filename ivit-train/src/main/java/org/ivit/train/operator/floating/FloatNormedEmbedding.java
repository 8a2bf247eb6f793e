package org.ivit.train.operator.floating;

import org.ivit.core.graph.NodeNames;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Chunk;
import org.ivit.train.operator.ChunkedOperator;
import org.ivit.train.operator.Execution;
import org.ivit.train.parameter.EmbeddingShape;
import org.ivit.train.parameter.NormedEmbeddingShape;

/**
 * Patch embedding with a norm, in floating point: [batch, 3, image, image] to [batch, patches,
 * dim].
 */
public final class FloatNormedEmbedding extends ChunkedOperator {
  private final EmbeddingShape shape;
  private final FloatLinear proj;
  private final FloatNorm norm;

  /**
   * @param shape sizes
   * @param epsilon added to the variance in the norm
   */
  public FloatNormedEmbedding(EmbeddingShape shape, double epsilon) {
    super(NormedEmbeddingShape.parameters(shape), shape.patches());
    this.shape = shape;
    this.proj = new FloatLinear(layout(), "patch_embed.proj", shape.inputs(), shape.dim());
    this.norm = new FloatNorm(layout(), "patch_embed.norm", shape.dim(), epsilon);
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
    Reals columns = keep.reals("patches", rows * shape.inputs());
    for (int i = 0; i < count; i++) {
      shape.unfold(x, (first + i) * shape.pixels(), columns, i * patches * shape.inputs());
    }
    run.tapped(NodeNames.INPUT, columns, 0, rows * shape.inputs(), 1);
    Reals projected = keep.reals("projected", rows * dim);
    proj.forward(run.gemm(), weights, columns, projected, 0, rows);
    run.tapped(NodeNames.PATCH_PROJECTION, projected, 0, rows * dim, dim);
    Reals normed = scratch.reals("normed", rows * dim);
    norm.forward(weights, projected, 0, dim, normed, rows, scratch);
    run.tapped(NodeNames.PATCH_NORM, normed, 0, rows * dim, dim);
    y.put(first * patches * dim, normed, 0, rows * dim);
  }

  /** The gradient by the pixels is not computed: {@code gx} must be null. */
  @Override
  protected void backward(
      Reals weights, Reals x, Reals gy, Reals gx, Reals gradients, Chunk chunk, Execution run) {
    shape.requireNoGradient(gx);
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
