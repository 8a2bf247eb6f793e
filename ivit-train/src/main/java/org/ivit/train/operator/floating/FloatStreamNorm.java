package org.ivit.train.operator.floating;

import org.ivit.core.architecture.Norm;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Chunk;
import org.ivit.train.operator.ChunkedOperator;
import org.ivit.train.operator.Execution;
import org.ivit.train.parameter.PartSpec;

/**
 * A norm of the first tokens of a picture, or of all, in floating point: [batch, input tokens, dim]
 * to [batch, tokens, dim].
 */
public final class FloatStreamNorm extends ChunkedOperator {
  private final Norm shape;
  private final int inputTokens;
  private final FloatNorm norm;

  /**
   * @param spec of the norm
   * @param shape sizes
   */
  public FloatStreamNorm(PartSpec spec, Norm shape) {
    super(spec.parameters(), shape.tokens());
    this.shape = shape;
    this.inputTokens = spec.inputTokens(shape);
    this.norm = new FloatNorm(layout(), shape.name(), shape.dim(), shape.epsilon());
  }

  @Override
  protected void forward(Reals weights, Reals x, Reals y, Chunk chunk, Execution run) {
    int dim = shape.dim();
    int size = shape.tokens() * dim;
    for (int i = chunk.first(); i < chunk.first() + chunk.count(); i++) {
      Reals out = y.part(i * size, size);
      norm.forward(weights, x, i * inputTokens * dim, dim, out, shape.tokens(), chunk.scratch());
    }
    run.tapped(shape.output(), y, chunk.first() * size, chunk.count() * size, dim);
  }

  @Override
  protected void backward(
      Reals weights, Reals x, Reals gy, Reals gx, Reals gradients, Chunk chunk, Execution run) {
    int dim = shape.dim();
    int size = shape.tokens() * dim;
    int read = inputTokens * dim;
    int from = chunk.first() * read;
    Reals target =
        gx == null
            ? chunk.scratch().reals("gInput", chunk.count() * read)
            : gx.part(from, chunk.count() * read);
    target.clear(0, chunk.count() * read);
    for (int i = 0; i < chunk.count(); i++) {
      norm.backward(
          weights,
          x,
          from + i * read,
          dim,
          gy.part((chunk.first() + i) * size, size),
          target,
          i * read,
          gradients,
          shape.tokens(),
          chunk.scratch());
    }
  }
}
