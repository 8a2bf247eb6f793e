package org.ivit.train.operator.floating;

import org.ivit.core.architecture.Head;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Chunk;
import org.ivit.train.operator.ChunkedOperator;
import org.ivit.train.operator.Execution;
import org.ivit.train.parameter.PartSpec;

/** Norm, mean over all tokens and linear classifier: [batch, tokens, dim] to [batch, classes]. */
public final class FloatPooledHead extends ChunkedOperator {
  private final Head shape;
  private final FloatNorm norm;
  private final FloatLinear head;

  /**
   * @param spec of the head
   * @param shape sizes
   */
  public FloatPooledHead(PartSpec spec, Head shape) {
    super(spec.parameters(), shape.tokens());
    this.shape = shape;
    this.norm = new FloatNorm(layout(), shape.norm().name(), shape.dim(), shape.epsilon());
    this.head = new FloatLinear(layout(), shape.classifiers().get(0), shape.dim(), shape.classes());
  }

  @Override
  protected void forward(Reals weights, Reals x, Reals y, Chunk chunk, Execution run) {
    int first = chunk.first();
    int count = chunk.count();
    Buffers keep = chunk.keep();
    Buffers scratch = chunk.scratch();
    int tokens = shape.tokens();
    int dim = shape.dim();
    Reals normed = scratch.reals("norm", count * tokens * dim);
    int from = first * tokens * dim;
    norm.forward(weights, x, from, dim, normed, count * tokens, scratch);
    run.tapped(shape.norm(), normed, 0, count * tokens * dim, dim);
    Reals pooled = keep.reals("pool", count * dim);
    for (int i = 0; i < count; i++) {
      pool(normed, i * tokens * dim, pooled, i * dim, scratch);
    }
    run.tapped(shape.pool(), pooled, 0, count * dim, dim);
    head.forward(run.gemm(), weights, pooled, y, first * shape.classes(), count);
  }

  private void pool(Reals normed, int from, Reals pooled, int at, Buffers scratch) {
    int dim = shape.dim();
    double[] row = scratch.doubles("pool.row", dim);
    double[] mean = scratch.doubles("pool.mean", dim);
    java.util.Arrays.fill(mean, 0, dim, 0);
    for (int t = 0; t < shape.tokens(); t++) {
      normed.get(from + t * dim, row, 0, dim);
      for (int c = 0; c < dim; c++) {
        mean[c] += row[c] / shape.tokens();
      }
    }
    pooled.put(at, mean, 0, dim);
  }

  @Override
  protected void backward(
      Reals weights, Reals x, Reals gy, Reals gx, Reals gradients, Chunk chunk, Execution run) {
    int first = chunk.first();
    int count = chunk.count();
    Buffers keep = chunk.keep();
    Buffers scratch = chunk.scratch();
    int tokens = shape.tokens();
    int dim = shape.dim();
    Reals gPool = scratch.reals("gPool", count * dim);
    head.backward(
        run.gemm(),
        weights,
        keep.reals("pool", 0),
        gy,
        first * shape.classes(),
        gPool,
        gradients,
        count,
        scratch);
    Reals gNorm = scratch.reals("gNorm", count * tokens * dim);
    spread(shape, gPool, count, gNorm, scratch);
    int from = first * tokens * dim;
    Reals target = gx == null ? scratch.reals("gInput", count * tokens * dim) : gx;
    int at = gx == null ? 0 : from;
    target.clear(at, count * tokens * dim);
    norm.backward(weights, x, from, dim, gNorm, target, at, gradients, count * tokens, scratch);
  }

  /** The gradient of a mean: an equal share for every token. */
  public static void spread(Head shape, Reals gPool, int count, Reals gNorm, Buffers scratch) {
    int dim = shape.dim();
    double[] row = scratch.doubles("pool.row", dim);
    for (int i = 0; i < count; i++) {
      gPool.get(i * dim, row, 0, dim);
      for (int c = 0; c < dim; c++) {
        row[c] /= shape.tokens();
      }
      for (int t = 0; t < shape.tokens(); t++) {
        gNorm.put((i * shape.tokens() + t) * dim, row, 0, dim);
      }
    }
  }
}
