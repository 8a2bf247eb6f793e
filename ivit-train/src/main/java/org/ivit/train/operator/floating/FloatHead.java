package org.ivit.train.operator.floating;

import java.util.List;
import org.ivit.core.graph.NodeNames;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.Gemm;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Execution;
import org.ivit.train.operator.KeptBuffers;
import org.ivit.train.operator.Operator;
import org.ivit.train.parameter.HeadShape;
import org.ivit.train.parameter.ParameterLayout;

/**
 * Final norm of the leading tokens and a linear classifier for each: [batch, tokens, dim] to
 * [batch, classes], the mean of the classifiers.
 */
public final class FloatHead implements Operator {
  private final HeadShape shape;
  private final ParameterLayout layout;
  private final FloatNorm norm;
  private final List<FloatLinear> heads;
  private final KeptBuffers kept = new KeptBuffers();

  /**
   * @param shape sizes
   * @param epsilon added to the variance in the norm
   */
  public FloatHead(HeadShape shape, double epsilon) {
    this.shape = shape;
    this.layout = shape.parameters();
    this.norm = new FloatNorm(layout, "norm", shape.dim(), epsilon);
    this.heads =
        shape.heads().stream()
            .map(head -> new FloatLinear(layout, head, shape.dim(), shape.classes()))
            .toList();
  }

  @Override
  public ParameterLayout layout() {
    return layout;
  }

  @Override
  public void forward(Reals weights, Reals x, Reals y, int batch, boolean training, Execution run) {
    if (training) {
      kept.begin(batch, run.chunks(batch, 1), run.type());
    }
    int stride = shape.tokens() * shape.dim();
    run.forEachChunk(
        batch,
        1,
        (chunk, first, count, part) -> {
          Buffers scratch = run.scratch(part);
          Buffers keep = training ? kept.chunk(chunk) : scratch;
          for (int h = 0; h < heads.size(); h++) {
            Reals normed = keep.reals(normKey(h), count * shape.dim());
            int from = first * stride + h * shape.dim();
            norm.forward(weights, x, from, stride, normed, count, scratch);
            run.tapped(NodeNames.NORM, normed, 0, count * shape.dim(), shape.dim());
            classify(run.gemm(), weights, h, normed, y, first, count, scratch);
          }
        });
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
  public void backward(
      Reals weights, Reals x, Reals gy, Reals gx, Reals gradients, int batch, Execution run) {
    kept.check(batch);
    int stride = shape.tokens() * shape.dim();
    run.forEachChunkWithGradients(
        batch,
        1,
        layout.size(),
        gradients,
        (chunk, first, count, part, sums) -> {
          Buffers scratch = run.scratch(part);
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
            Reals normed = kept.chunk(chunk).reals(normKey(h), 0);
            heads
                .get(h)
                .backward(run.gemm(), weights, normed, gLogits, 0, gNorm, sums, count, scratch);
            int token = h * shape.dim();
            norm.backward(
                weights,
                x,
                first * stride + token,
                stride,
                gNorm,
                target,
                from + token,
                sums,
                count,
                scratch);
          }
        });
  }

  /** The gradient of each head's logits, [count][classes]: its part of the mean's. */
  public static Reals part(HeadShape shape, Reals gy, int first, int count, Buffers scratch) {
    int size = count * shape.classes();
    Reals gradient = scratch.reals("gLogits", size);
    double part = 1.0 / shape.heads().size();
    FloatKernels.scale(gy, first * shape.classes(), part, gradient, 0, size, scratch);
    return gradient;
  }
}
