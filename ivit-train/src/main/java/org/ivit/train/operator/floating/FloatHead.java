package org.ivit.train.operator.floating;

import java.util.List;
import org.ivit.core.architecture.Head;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Chunk;
import org.ivit.train.operator.ChunkedOperator;
import org.ivit.train.operator.Execution;
import org.ivit.train.parameter.PartSpec;

/**
 * The end of a network in floating point: [batch, tokens, dim] to [batch, classes]. A norm, then
 * linear classifiers of the leading tokens, one a classifier, or of the mean over the patches, and
 * the mean of their logits; without classifiers the mean over the patches, or, without a norm, the
 * first token as it comes.
 */
public final class FloatHead extends ChunkedOperator {
  private final Head shape;

  /** Null where the first token is the answer. */
  private final FloatNorm norm;

  private final TokenMean mean;
  private final List<FloatLinear> heads;

  /**
   * @param spec of the head
   * @param shape sizes
   */
  public FloatHead(PartSpec spec, Head shape) {
    super(spec.parameters(), shape.pooled() ? shape.tokens() : 1);
    this.shape = shape;
    this.norm =
        shape.normed()
            ? new FloatNorm(layout(), shape.norm().name(), shape.dim(), shape.epsilon())
            : null;
    this.mean = new TokenMean(shape.tokens(), shape.leadingTokens(), shape.dim());
    this.heads =
        shape.linears().stream().map(head -> FloatLinear.of(layout(), spec, head)).toList();
  }

  @Override
  protected void forward(Reals weights, Reals x, Reals y, Chunk chunk, Execution run) {
    if (shape.pooled()) {
      forwardOfMean(weights, x, y, chunk, run);
      return;
    }
    int count = chunk.count();
    int dim = shape.dim();
    int stride = shape.tokens() * dim;
    if (norm == null) {
      for (int i = chunk.first(); i < chunk.first() + count; i++) {
        y.put(i * dim, x, i * stride, dim);
      }
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

  private void forwardOfMean(Reals weights, Reals x, Reals y, Chunk chunk, Execution run) {
    int count = chunk.count();
    int dim = shape.dim();
    int stride = shape.tokens() * dim;
    Buffers scratch = chunk.scratch();
    Reals normed = scratch.reals("norm", count * stride);
    int rows = count * shape.tokens();
    norm.forward(weights, x, chunk.first() * stride, dim, normed, rows, scratch);
    run.tapped(shape.norm(), normed, 0, count * stride, dim);
    if (heads.isEmpty()) {
      mean.forward(normed, 0, y, chunk.first() * dim, count, scratch);
      return;
    }
    Reals pooled = chunk.keep().reals("pool", count * dim);
    mean.forward(normed, 0, pooled, 0, count, scratch);
    run.tapped(shape.pool(), pooled, 0, count * dim, dim);
    if (shape.tokenAndMean()) {
      Reals first = chunk.keep().reals(normKey(0), count * dim);
      for (int i = 0; i < count; i++) {
        first.put(i * dim, normed, i * stride, dim);
      }
      classify(weights, 0, first, y, chunk, run);
    }
    classify(weights, heads.size() - 1, pooled, y, chunk, run);
  }

  /** Adds a gradient by the first normed token of each picture to that by all. */
  public static void addToFirst(Head shape, Reals gFirst, Reals gNorm, int count, Buffers scratch) {
    int dim = shape.dim();
    for (int i = 0; i < count; i++) {
      int at = i * shape.tokens() * dim;
      FloatKernels.addScaled(gNorm, at, gFirst, i * dim, 1, gNorm, at, dim, scratch);
    }
  }

  public static String normKey(int head) {
    return "norm" + head;
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
    Buffers scratch = chunk.scratch();
    int dim = shape.dim();
    int stride = shape.tokens() * dim;
    int from = chunk.first() * stride;
    Reals target = gx == null ? scratch.reals("gInput", count * stride) : gx;
    int at = gx == null ? 0 : from;
    target.clear(at, count * stride);
    if (norm == null) {
      for (int i = 0; i < count; i++) {
        target.put(at + i * stride, gy, (chunk.first() + i) * dim, dim);
      }
      return;
    }
    if (shape.pooled()) {
      Reals gPool = gPool(weights, gy, gradients, chunk, run);
      Reals gNorm = scratch.reals("gNorm", count * stride);
      mean.backward(gPool, 0, gNorm, 0, count, scratch);
      if (shape.tokenAndMean()) {
        Reals gLogits = part(shape, gy, chunk);
        Reals gFirst = scratch.reals("gFirst", count * dim);
        Reals first = chunk.keep().reals(normKey(0), 0);
        FloatLinear head = heads.get(0);
        head.backward(run, weights, first, gLogits, 0, gFirst, gradients, count, scratch);
        addToFirst(shape, gFirst, gNorm, count, scratch);
      }
      int rows = count * shape.tokens();
      norm.backward(weights, x, from, dim, gNorm, target, at, gradients, rows, scratch);
      return;
    }
    Reals gLogits = part(shape, gy, chunk);
    Reals gFeature = scratch.reals("gFeature", count * dim);
    for (int h = 0; h < heads.size(); h++) {
      Reals features = chunk.keep().reals(normKey(h), 0);
      FloatLinear head = heads.get(h);
      head.backward(run, weights, features, gLogits, 0, gFeature, gradients, count, scratch);
      int read = from + h * dim;
      int to = at + h * dim;
      norm.backward(weights, x, read, stride, gFeature, target, to, gradients, count, scratch);
    }
  }

  /** The gradient by the means of a chunk, [count][dim]. */
  private Reals gPool(Reals weights, Reals gy, Reals gradients, Chunk chunk, Execution run) {
    int count = chunk.count();
    Buffers scratch = chunk.scratch();
    Reals gPool = scratch.reals("gFeature", count * shape.dim());
    if (heads.isEmpty()) {
      gPool.put(0, gy, chunk.first() * shape.dim(), count * shape.dim());
      return gPool;
    }
    Reals gLogits = part(shape, gy, chunk);
    Reals pooled = chunk.keep().reals("pool", 0);
    FloatLinear head = heads.get(heads.size() - 1);
    head.backward(run, weights, pooled, gLogits, 0, gPool, gradients, count, scratch);
    return gPool;
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
