package org.ivit.train.operator.floating;

import java.util.Arrays;
import java.util.List;
import org.ivit.core.architecture.Head;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Chunk;
import org.ivit.train.operator.ChunkedOperator;
import org.ivit.train.operator.Execution;
import org.ivit.train.parameter.PartSpec;

/**
 * Final norm and linear classifiers, of the leading tokens, one a classifier, or of the mean over
 * all tokens: [batch, tokens, dim] to [batch, classes], the mean of the classifiers.
 */
public final class FloatHead extends ChunkedOperator {
  private final Head shape;
  private final FloatNorm norm;
  private final List<FloatLinear> heads;

  /**
   * @param spec of the head
   * @param shape sizes
   */
  public FloatHead(PartSpec spec, Head shape) {
    super(spec.parameters(), shape.pooled() ? shape.tokens() : 1);
    this.shape = shape;
    this.norm = new FloatNorm(layout(), shape.norm().name(), shape.dim(), shape.epsilon());
    this.heads =
        shape.classifiers().stream()
            .map(head -> new FloatLinear(layout(), head, shape.dim(), shape.classes()))
            .toList();
  }

  @Override
  protected void forward(Reals weights, Reals x, Reals y, Chunk chunk, Execution run) {
    int count = chunk.count();
    int dim = shape.dim();
    int stride = shape.tokens() * dim;
    if (shape.pooled()) {
      Reals normed = chunk.scratch().reals("norm", count * stride);
      int rows = count * shape.tokens();
      norm.forward(weights, x, chunk.first() * stride, dim, normed, rows, chunk.scratch());
      run.tapped(shape.norm(), normed, 0, count * stride, dim);
      Reals pooled = chunk.keep().reals("pool", count * dim);
      for (int i = 0; i < count; i++) {
        pool(normed, i * stride, pooled, i * dim, chunk.scratch());
      }
      run.tapped(shape.pool(), pooled, 0, count * dim, dim);
      classify(weights, 0, pooled, y, chunk, run);
      return;
    }
    for (int h = 0; h < heads.size(); h++) {
      Reals normed = chunk.keep().reals(normKey(h), count * dim);
      int from = chunk.first() * stride + h * dim;
      norm.forward(weights, x, from, stride, normed, count, chunk.scratch());
      run.tapped(shape.norm(), normed, 0, count * dim, dim);
      classify(weights, h, normed, y, chunk, run);
    }
  }

  public static String normKey(int head) {
    return "norm" + head;
  }

  private void pool(Reals normed, int from, Reals pooled, int at, Buffers scratch) {
    int dim = shape.dim();
    double[] row = scratch.doubles("pool.row", dim);
    double[] mean = scratch.doubles("pool.mean", dim);
    Arrays.fill(mean, 0, dim, 0);
    for (int t = 0; t < shape.tokens(); t++) {
      normed.get(from + t * dim, row, 0, dim);
      for (int c = 0; c < dim; c++) {
        mean[c] += row[c] / shape.tokens();
      }
    }
    pooled.put(at, mean, 0, dim);
  }

  /** Writes the first head's part of the mean to {@code y}, adds the others'. */
  private void classify(
      Reals weights, int head, Reals features, Reals y, Chunk chunk, Execution run) {
    int at = chunk.first() * shape.classes();
    int size = chunk.count() * shape.classes();
    if (heads.size() == 1) {
      heads.get(head).forward(run.gemm(), weights, features, y, at, chunk.count());
      return;
    }
    Reals logits = chunk.scratch().reals("logits", size);
    heads.get(head).forward(run.gemm(), weights, features, logits, 0, chunk.count());
    double part = 1.0 / heads.size();
    if (head == 0) {
      FloatKernels.scale(logits, 0, part, y, at, size, chunk.scratch());
    } else {
      FloatKernels.addScaled(y, at, logits, 0, part, y, at, size, chunk.scratch());
    }
  }

  @Override
  protected void backward(
      Reals weights, Reals x, Reals gy, Reals gx, Reals gradients, Chunk chunk, Execution run) {
    int count = chunk.count();
    Buffers keep = chunk.keep();
    Buffers scratch = chunk.scratch();
    int dim = shape.dim();
    int stride = shape.tokens() * dim;
    int from = chunk.first() * stride;
    Reals gLogits = part(shape, gy, chunk);
    Reals target = gx == null ? scratch.reals("gInput", count * stride) : gx;
    int at = gx == null ? 0 : from;
    target.clear(at, count * stride);
    Reals gFeature = scratch.reals("gFeature", count * dim);
    for (int h = 0; h < heads.size(); h++) {
      Reals features = keep.reals(shape.pooled() ? "pool" : normKey(h), 0);
      heads
          .get(h)
          .backward(run.gemm(), weights, features, gLogits, 0, gFeature, gradients, count, scratch);
      if (shape.pooled()) {
        Reals gNorm = spread(shape, gFeature, chunk);
        int rows = count * shape.tokens();
        norm.backward(weights, x, from, dim, gNorm, target, at, gradients, rows, scratch);
      } else {
        int token = h * dim;
        norm.backward(
            weights,
            x,
            from + token,
            stride,
            gFeature,
            target,
            at + token,
            gradients,
            count,
            scratch);
      }
    }
  }

  /** The gradient of a mean: an equal share for every token. */
  public static Reals spread(Head shape, Reals gPool, Chunk chunk) {
    int dim = shape.dim();
    double[] row = chunk.scratch().doubles("pool.row", dim);
    Reals gNorm = chunk.scratch().reals("gNorm", chunk.count() * shape.tokens() * dim);
    for (int i = 0; i < chunk.count(); i++) {
      gPool.get(i * dim, row, 0, dim);
      for (int c = 0; c < dim; c++) {
        row[c] /= shape.tokens();
      }
      for (int t = 0; t < shape.tokens(); t++) {
        gNorm.put((i * shape.tokens() + t) * dim, row, 0, dim);
      }
    }
    return gNorm;
  }

  /** The gradient of each head's logits, [count][classes]: its part of the mean's. */
  public static Reals part(Head shape, Reals gy, Chunk chunk) {
    int size = chunk.count() * shape.classes();
    Buffers scratch = chunk.scratch();
    Reals gradient = scratch.reals("gLogits", size);
    double part = 1.0 / shape.classifiers().size();
    FloatKernels.scale(gy, chunk.first() * shape.classes(), part, gradient, 0, size, scratch);
    return gradient;
  }
}
