package org.ivit.train.operator.floating;

import java.util.List;
import org.ivit.core.architecture.Head;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.Gemm;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Chunk;
import org.ivit.train.operator.ChunkedOperator;
import org.ivit.train.operator.Execution;
import org.ivit.train.parameter.PartSpec;

/**
 * Final norm of the leading tokens and a linear classifier for each: [batch, tokens, dim] to
 * [batch, classes], the mean of the classifiers.
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
    super(spec.parameters(), 1);
    this.shape = shape;
    this.norm = new FloatNorm(layout(), shape.norm().name(), shape.dim(), shape.epsilon());
    this.heads =
        shape.classifiers().stream()
            .map(head -> new FloatLinear(layout(), head, shape.dim(), shape.classes()))
            .toList();
  }

  @Override
  protected void forward(Reals weights, Reals x, Reals y, Chunk chunk, Execution run) {
    int first = chunk.first();
    int count = chunk.count();
    Buffers keep = chunk.keep();
    Buffers scratch = chunk.scratch();
    int stride = shape.tokens() * shape.dim();
    for (int h = 0; h < heads.size(); h++) {
      Reals normed = keep.reals(normKey(h), count * shape.dim());
      int from = first * stride + h * shape.dim();
      norm.forward(weights, x, from, stride, normed, count, scratch);
      run.tapped(shape.norm(), normed, 0, count * shape.dim(), shape.dim());
      classify(run.gemm(), weights, h, normed, y, first, count, scratch);
    }
  }

  public static String normKey(int head) {
    return "norm" + head;
  }

  /** Writes the first head's part of the mean to {@code y}, adds the others'. */
  private void classify(
      Gemm gemm,
      Reals weights,
      int head,
      Reals normed,
      Reals y,
      int first,
      int count,
      Buffers scratch) {
    int at = first * shape.classes();
    int size = count * shape.classes();
    if (heads.size() == 1) {
      heads.get(head).forward(gemm, weights, normed, y, at, count);
      return;
    }
    Reals logits = scratch.reals("logits", size);
    heads.get(head).forward(gemm, weights, normed, logits, 0, count);
    double part = 1.0 / heads.size();
    if (head == 0) {
      FloatKernels.scale(logits, 0, part, y, at, size, scratch);
    } else {
      FloatKernels.addScaled(y, at, logits, 0, part, y, at, size, scratch);
    }
  }

  @Override
  protected void backward(
      Reals weights, Reals x, Reals gy, Reals gx, Reals gradients, Chunk chunk, Execution run) {
    int first = chunk.first();
    int count = chunk.count();
    Buffers keep = chunk.keep();
    Buffers scratch = chunk.scratch();
    int stride = shape.tokens() * shape.dim();
    Reals gNorm = scratch.reals("gNorm", count * shape.dim());
    Reals gLogits = part(shape, gy, first, count, scratch);
    Reals target = gx;
    int from = first * stride;
    if (target == null) {
      target = scratch.reals("gInput", count * stride);
      from = 0;
    }
    target.clear(from, count * stride);
    for (int h = 0; h < heads.size(); h++) {
      Reals normed = keep.reals(normKey(h), 0);
      heads
          .get(h)
          .backward(run.gemm(), weights, normed, gLogits, 0, gNorm, gradients, count, scratch);
      int token = h * shape.dim();
      norm.backward(
          weights,
          x,
          first * stride + token,
          stride,
          gNorm,
          target,
          from + token,
          gradients,
          count,
          scratch);
    }
  }

  /** The gradient of each head's logits, [count][classes]: its part of the mean's. */
  public static Reals part(Head shape, Reals gy, int first, int count, Buffers scratch) {
    int size = count * shape.classes();
    Reals gradient = scratch.reals("gLogits", size);
    double part = 1.0 / shape.classifiers().size();
    FloatKernels.scale(gy, first * shape.classes(), part, gradient, 0, size, scratch);
    return gradient;
  }
}
