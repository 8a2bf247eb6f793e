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
 * Patch embedding in floating point: [batch, 3, height, width] to [batch, tokens, dim], either with
 * leading tokens first and positions added, or with a norm.
 */
public final class FloatStem extends ChunkedOperator {
  private final Stem shape;
  private final PatchRows patchRows;
  private final FloatLinear proj;

  /** Null where there is no norm. */
  private final FloatNorm norm;

  /**
   * @param spec of the stem
   * @param shape sizes
   */
  public FloatStem(PartSpec spec, Stem shape) {
    super(spec.parameters(), shape.outputTokens());
    this.shape = shape;
    this.patchRows = new PatchRows(shape);
    this.proj = FloatLinear.of(layout(), spec, shape.projection());
    this.norm =
        shape.normed()
            ? new FloatNorm(layout(), shape.output().name(), shape.dim(), shape.epsilon())
            : null;
  }

  @Override
  protected void forward(Reals weights, Reals x, Reals y, Chunk chunk, Execution run) {
    int first = chunk.first();
    int count = chunk.count();
    int dim = shape.dim();
    int rows = count * shape.patches();
    int inputs = shape.patchInputs();
    Reals columns = chunk.keep().reals("patches", rows * inputs);
    for (int i = 0; i < count; i++) {
      patchRows.unfold(x, (first + i) * shape.pixels(), columns, i * shape.patches() * inputs);
    }
    run.tapped(Node.INPUT, columns, 0, rows * inputs, 1);
    Buffers memory = norm == null ? chunk.scratch() : chunk.keep();
    Reals projected = memory.reals("projected", rows * dim);
    proj.forward(run.gemm(), weights, columns, projected, 0, rows);
    run.tapped(shape.projection().node(), projected, 0, rows * dim, dim);
    int size = shape.outputTokens() * dim;
    if (norm == null) {
      embed(weights, projected, y, chunk);
    } else {
      Reals normed = chunk.scratch().reals("normed", rows * dim);
      norm.forward(weights, projected, 0, dim, normed, rows, chunk.scratch());
      y.put(first * size, normed, 0, rows * dim);
    }
    run.tapped(shape.output(), y, first * size, count * size, dim);
  }

  private void embed(Reals weights, Reals projected, Reals y, Chunk chunk) {
    Buffers scratch = chunk.scratch();
    int dim = shape.dim();
    int tokens = shape.outputTokens();
    int leading = shape.leadingTokens();
    int leadingFrom = leadingFrom(shape, layout());
    int unpositioned = tokens - shape.positionRows();
    int positions = positionsFrom(shape, layout());
    for (int i = 0; i < chunk.count(); i++) {
      for (int t = 0; t < tokens; t++) {
        int at = ((chunk.first() + i) * tokens + t) * dim;
        Reals source = t < leading ? weights : projected;
        int from = t < leading ? leadingFrom + t * dim : (i * shape.patches() + t - leading) * dim;
        if (t < unpositioned) {
          y.put(at, source, from, dim);
        } else {
          int position = positions + (t - unpositioned) * dim;
          FloatKernels.addScaled(source, from, weights, position, 1, y, at, dim, scratch);
        }
      }
    }
  }

  /** The gradient by the pixels is not computed: {@code gx} must be null. */
  @Override
  protected void backward(
      Reals weights, Reals x, Reals gy, Reals gx, Reals gradients, Chunk chunk, Execution run) {
    PatchRows.requireNoGradient(gx);
    Buffers keep = chunk.keep();
    Buffers scratch = chunk.scratch();
    int dim = shape.dim();
    int rows = chunk.count() * shape.patches();
    Reals gProjected = scratch.reals("gProjected", rows * dim);
    if (norm == null) {
      splitGradient(shape, layout(), gy, gProjected, gradients, chunk);
    } else {
      Reals gNormed = scratch.reals("normed", rows * dim);
      gNormed.put(0, gy, chunk.first() * shape.patches() * dim, rows * dim);
      gProjected.clear(0, rows * dim);
      Reals projected = keep.reals("projected", 0);
      norm.backward(weights, projected, 0, dim, gNormed, gProjected, 0, gradients, rows, scratch);
    }
    Reals columns = keep.reals("patches", 0);
    proj.backward(run, weights, columns, gProjected, 0, null, gradients, rows, scratch);
  }

  /** Passes the gradient of the tokens on to patches, leading tokens and positions. */
  public static void splitGradient(
      Stem shape, ParameterLayout layout, Reals gy, Reals gPatches, Reals gradients, Chunk chunk) {
    Buffers scratch = chunk.scratch();
    int dim = shape.dim();
    int patches = shape.patches();
    int tokens = shape.outputTokens();
    int leading = shape.leadingTokens();
    int leadingFrom = leadingFrom(shape, layout);
    int unpositioned = tokens - shape.positionRows();
    int positions = positionsFrom(shape, layout);
    double[] g = scratch.doubles("row", dim);
    double[] sum = scratch.doubles("row2", dim);
    for (int i = 0; i < chunk.count(); i++) {
      int from = (chunk.first() + i) * tokens * dim;
      gPatches.put(i * patches * dim, gy, from + leading * dim, patches * dim);
      for (int t = 0; t < tokens; t++) {
        gy.get(from + t * dim, g, 0, dim);
        if (t >= unpositioned) {
          FloatKernels.add(g, dim, gradients, positions + (t - unpositioned) * dim, sum);
        }
        if (t < leading) {
          FloatKernels.add(g, dim, gradients, leadingFrom + t * dim, sum);
        }
      }
    }
  }

  /** Where the positions lie, of the last tokens or of all. */
  private static int positionsFrom(Stem shape, ParameterLayout layout) {
    return shape.positionRows() == 0 ? 0 : layout.from(Stem.POSITION);
  }

  /** Where the first leading token lies; the others follow it. */
  private static int leadingFrom(Stem shape, ParameterLayout layout) {
    return shape.leading().isEmpty() ? 0 : layout.from(shape.leading().get(0).name());
  }
}
