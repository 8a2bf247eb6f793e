package org.ivit.train.operator.floating;

import org.ivit.core.architecture.MeanPooling;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Chunk;
import org.ivit.train.operator.ChunkedOperator;
import org.ivit.train.operator.Execution;
import org.ivit.train.parameter.PartSpec;

/** The mean over the patches in floating point: [batch, tokens, dim] to [batch, 1, dim]. */
public final class FloatMeanPooling extends ChunkedOperator {
  private final MeanPooling shape;
  private final TokenMean mean;

  /**
   * @param spec of the pooling
   * @param shape sizes
   */
  public FloatMeanPooling(PartSpec spec, MeanPooling shape) {
    super(spec.parameters(), shape.tokens());
    this.shape = shape;
    this.mean = new TokenMean(shape.tokens(), shape.leading(), shape.dim());
  }

  @Override
  protected void forward(Reals weights, Reals x, Reals y, Chunk chunk, Execution run) {
    int dim = shape.dim();
    int to = chunk.first() * dim;
    mean.forward(x, to * shape.tokens(), y, to, chunk.count(), chunk.scratch());
    run.tapped(shape.output(), y, to, chunk.count() * dim, dim);
  }

  @Override
  protected void backward(
      Reals weights, Reals x, Reals gy, Reals gx, Reals gradients, Chunk chunk, Execution run) {
    if (gx != null) {
      int from = chunk.first() * shape.dim();
      mean.backward(gy, from, gx, from * shape.tokens(), chunk.count(), chunk.scratch());
    }
  }
}
