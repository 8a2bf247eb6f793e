package org.ivit.train.operator.floating;

import org.ivit.core.architecture.Node;
import org.ivit.core.architecture.Stem;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Chunk;
import org.ivit.train.operator.ChunkedOperator;
import org.ivit.train.operator.Execution;
import org.ivit.train.operator.PatchRows;
import org.ivit.train.parameter.ParameterLayout;
import org.ivit.train.parameter.PartSpec;

/**
 * Patch embedding in floating point: [batch, 3, image, image] to [batch, tokens, dim], leading
 * tokens first, positions added.
 */
public final class FloatEmbedding extends ChunkedOperator {
  private final Stem shape;
  private final PatchRows patchRows;
  private final FloatLinear proj;

  /**
   * @param spec of the stem
   * @param shape sizes
   */
  public FloatEmbedding(PartSpec spec, Stem shape) {
    super(spec.parameters(), shape.outputTokens());
    this.shape = shape;
    this.patchRows = new PatchRows(shape);
    this.proj = new FloatLinear(layout(), Stem.PROJECTION, shape.patchInputs(), shape.dim());
  }

  @Override
  protected void forward(Reals weights, Reals x, Reals y, Chunk chunk, Execution run) {
    int first = chunk.first();
    int count = chunk.count();
    Buffers keep = chunk.keep();
    Buffers scratch = chunk.scratch();
    int dim = shape.dim();
    int patches = shape.patches();
    int tokens = shape.outputTokens();
    int leading = shape.leadingTokens();
    int posFrom = layout().from(Stem.POSITION);
    int leadingFrom = leadingFrom(shape, layout());
    Reals columns = keep.reals("patches", count * patches * shape.patchInputs());
    Reals embedded = scratch.reals("embedded", count * patches * dim);
    for (int i = 0; i < count; i++) {
      patchRows.unfold(x, (first + i) * shape.pixels(), columns, i * patches * shape.patchInputs());
    }
    run.tapped(Node.INPUT, columns, 0, count * patches * shape.patchInputs(), 1);
    proj.forward(run.gemm(), weights, columns, embedded, 0, count * patches);
    run.tapped(shape.projection().node(), embedded, 0, count * patches * dim, dim);
    for (int i = 0; i < count; i++) {
      for (int t = 0; t < tokens; t++) {
        int at = ((first + i) * tokens + t) * dim;
        Reals source = t < leading ? weights : embedded;
        int from = t < leading ? leadingFrom + t * dim : (i * patches + t - leading) * dim;
        FloatKernels.addScaled(source, from, weights, posFrom + t * dim, 1, y, at, dim, scratch);
      }
    }
    run.tapped(shape.output(), y, first * tokens * dim, count * tokens * dim, dim);
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
      Stem shape,
      ParameterLayout layout,
      Reals gy,
      int first,
      int count,
      Reals gEmbedded,
      Reals gradients,
      Buffers scratch) {
    int dim = shape.dim();
    int patches = shape.patches();
    int tokens = shape.outputTokens();
    int leading = shape.leadingTokens();
    double[] g = scratch.doubles("row", dim);
    double[] sum = scratch.doubles("row2", dim);
    for (int i = 0; i < count; i++) {
      int from = (first + i) * tokens * dim;
      gEmbedded.put(i * patches * dim, gy, from + leading * dim, patches * dim);
      for (int t = 0; t < tokens; t++) {
        gy.get(from + t * dim, g, 0, dim);
        FloatKernels.add(g, dim, gradients, layout.from(Stem.POSITION) + t * dim, sum);
        if (t < leading) {
          FloatKernels.add(g, dim, gradients, leadingFrom(shape, layout) + t * dim, sum);
        }
      }
    }
  }

  /** Where the first leading token lies; the others follow it. */
  private static int leadingFrom(Stem shape, ParameterLayout layout) {
    return shape.leading().isEmpty() ? 0 : layout.from(shape.leading().get(0).name());
  }
}
