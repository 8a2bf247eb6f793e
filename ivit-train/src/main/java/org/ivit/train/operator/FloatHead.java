package org.ivit.train.operator;

import org.ivit.core.graph.NodeNames;

/**
 * Final norm of the class token and linear classifier: [batch, tokens, dim] to [batch, classes].
 */
public final class FloatHead implements Operator {
  private final HeadShape shape;
  private final ParameterLayout layout;
  private final FloatNorm norm;
  private final FloatLinear head;
  private final KeptBuffers kept = new KeptBuffers();

  /**
   * @param shape sizes
   * @param epsilon added to the variance in the norm
   */
  public FloatHead(HeadShape shape, double epsilon) {
    this.shape = shape;
    this.layout = shape.parameters();
    this.norm = new FloatNorm(layout, "norm", shape.dim(), epsilon);
    this.head = new FloatLinear(layout, "head", shape.dim(), shape.classes());
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
          Reals normed = keep.reals("norm", count * shape.dim());
          norm.forward(weights, x, first * stride, stride, normed, count, scratch);
          run.tapped(NodeNames.NORM, normed, 0, count * shape.dim(), shape.dim());
          head.forward(run.gemm(), weights, normed, y, first * shape.classes(), count);
        });
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
          head.backward(
              run.gemm(),
              weights,
              kept.chunk(chunk).reals("norm", 0),
              gy,
              first * shape.classes(),
              gNorm,
              sums,
              count,
              scratch);
          Reals target = gx;
          int from = first * stride;
          if (target == null) {
            target = scratch.reals("gInput", count * stride);
            from = 0;
          }
          target.clear(from, count * stride);
          norm.backward(
              weights, x, first * stride, stride, gNorm, target, from, sums, count, scratch);
        });
  }
}
