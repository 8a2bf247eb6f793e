package org.ivit.train.operator.floating;

import org.ivit.core.graph.NodeNames;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Chunk;
import org.ivit.train.operator.ChunkedOperator;
import org.ivit.train.operator.Execution;
import org.ivit.train.parameter.EmbeddingShape;
import org.ivit.train.parameter.ParameterLayout;

/**
 * Patch embedding in floating point: [batch, 3, image, image] to [batch, tokens, dim], leading
 * tokens first, positions added.
 */
public final class FloatEmbedding extends ChunkedOperator {
  private final EmbeddingShape shape;
  private final FloatLinear proj;

  /**
   * @param shape sizes
   */
  public FloatEmbedding(EmbeddingShape shape) {
    super(shape.parameters(), shape.tokens());
    this.shape = shape;
    this.proj = new FloatLinear(layout(), "patch_embed.proj", shape.inputs(), shape.dim());
  }

  @Override
  protected void forward(Reals weights, Reals x, Reals y, Chunk chunk, Execution run) {
    int first = chunk.first();
    int count = chunk.count();
    Buffers keep = chunk.keep();
    Buffers scratch = chunk.scratch();
    int dim = shape.dim();
    int patches = shape.patches();
    int tokens = shape.tokens();
    int leading = shape.leading().size();
    int posFrom = layout().from("pos_embed");
    Reals columns = keep.reals("patches", count * patches * shape.inputs());
    Reals embedded = scratch.reals("embedded", count * patches * dim);
    for (int i = 0; i < count; i++) {
      shape.unfold(x, (first + i) * shape.pixels(), columns, i * patches * shape.inputs());
    }
    run.tapped(NodeNames.INPUT, columns, 0, count * patches * shape.inputs(), 1);
    proj.forward(run.gemm(), weights, columns, embedded, 0, count * patches);
    run.tapped(NodeNames.PATCH_EMBED, embedded, 0, count * patches * dim, dim);
    for (int i = 0; i < count; i++) {
      for (int t = 0; t < tokens; t++) {
        int at = ((first + i) * tokens + t) * dim;
        Reals source = t < leading ? weights : embedded;
        int from =
            t < leading ? layout().from(shape.leading().get(t)) : (i * patches + t - leading) * dim;
        FloatKernels.addScaled(source, from, weights, posFrom + t * dim, 1, y, at, dim, scratch);
      }
    }
    run.tapped(NodeNames.EMBED, y, first * tokens * dim, count * tokens * dim, dim);
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
    int dim = shape.dim();
    int patches = shape.patches();
    Reals gEmbedded = scratch.reals("embedded", count * patches * dim);
    splitGradient(shape, layout(), gy, first, count, gEmbedded, gradients, scratch);
    proj.backward(
        run.gemm(),
        weights,
        keep.reals("patches", 0),
        gEmbedded,
        0,
        null,
        gradients,
        count * patches,
        scratch);
  }

  /** Passes the gradient of the tokens on to patches, leading tokens and positions. */
  public static void splitGradient(
      EmbeddingShape shape,
      ParameterLayout layout,
      Reals gy,
      int first,
      int count,
      Reals gEmbedded,
      Reals gradients,
      Buffers scratch) {
    int dim = shape.dim();
    int patches = shape.patches();
    int tokens = shape.tokens();
    int leading = shape.leading().size();
    double[] g = scratch.doubles("row", dim);
    double[] sum = scratch.doubles("row2", dim);
    for (int i = 0; i < count; i++) {
      int from = (first + i) * tokens * dim;
      gEmbedded.put(i * patches * dim, gy, from + leading * dim, patches * dim);
      for (int t = 0; t < tokens; t++) {
        gy.get(from + t * dim, g, 0, dim);
        FloatKernels.add(g, dim, gradients, layout.from("pos_embed") + t * dim, sum);
        if (t < leading) {
          FloatKernels.add(g, dim, gradients, layout.from(shape.leading().get(t)), sum);
        }
      }
    }
  }
}
