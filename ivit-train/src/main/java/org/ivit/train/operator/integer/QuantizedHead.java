package org.ivit.train.operator.integer;

import java.util.ArrayList;
import java.util.List;
import org.ivit.core.architecture.Head;
import org.ivit.core.graph.NodeBuilder;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Chunk;
import org.ivit.train.operator.Execution;
import org.ivit.train.operator.SeenRanges;
import org.ivit.train.operator.floating.FloatHead;
import org.ivit.train.parameter.PartSpec;

/**
 * Final norm of the leading tokens and a classifier for each in integers: dequantized 16-bit codes
 * [batch, tokens, dim] to dequantized logits [batch, classes].
 */
public final class QuantizedHead extends ClassifyingOperator {
  private static final String INPUT = "input";

  private float inputScale;

  /**
   * @param spec of the head
   * @param shape sizes
   * @param scheme forms, widths, outlier channels
   */
  public QuantizedHead(PartSpec spec, Head shape, Scheme scheme) {
    super(spec, shape, 1, scheme);
  }

  @Override
  protected void prepare(Reals weights, int batch, Execution run) {
    NodeBuilder nodes = nodes(weights);
    inputScale = inputScale(weights);
    float normScale = scales(weights).of(shape.norm());
    norm.prepare(nodes.norm(shape.norm(), normScale), weights, inputScale);
    classifier.prepare(nodes, normScale, scheme, batch, run.type());
  }

  @Override
  protected void forward(Reals weights, Reals x, Reals y, Chunk chunk, Execution run) {
    int first = chunk.first();
    int count = chunk.count();
    Buffers keep = chunk.keep();
    Buffers scratch = chunk.scratch();
    SeenRanges values = chunk.seen();
    int dim = shape.dim();
    int stride = shape.tokens() * dim;
    short[] token = scratch.shorts("token", dim);
    byte[] codes = scratch.bytes("codes", count * dim);
    List<Reals> normed = new ArrayList<>();
    for (int h = 0; h < shape.classifiers().size(); h++) {
      short[] input = keep.shorts(inputKey(h), count * dim);
      for (int i = 0; i < count; i++) {
        Codes.recover(x, (first + i) * stride + h * dim, inputScale, token, dim, scratch);
        System.arraycopy(token, 0, input, i * dim, dim);
      }
      norm.forward(input, codes, count, values, scratch);
      Reals rows = keep.reals(FloatHead.normKey(h), count * dim);
      Codes.widen(codes, count, dim, scheme.outliers(shape.norm()), rows);
      normed.add(rows);
    }
    classifier.forward(run.gemm(), normed, y, first, count, scratch);
  }

  private static String inputKey(int head) {
    return INPUT + head;
  }

  @Override
  protected void backward(
      Reals weights, Reals x, Reals gy, Reals gx, Reals gradients, Chunk chunk, Execution run) {
    int first = chunk.first();
    int count = chunk.count();
    Buffers keep = chunk.keep();
    Buffers scratch = chunk.scratch();
    int dim = shape.dim();
    int stride = shape.tokens() * dim;
    Reals gNorm = scratch.reals("gNorm", count * dim);
    Reals gLogits = FloatHead.part(shape, gy, first, count, scratch);
    Reals target = gx == null ? scratch.reals("gInput", count * stride) : gx;
    int from = gx == null ? 0 : first * stride;
    target.clear(from, count * stride);
    for (int h = 0; h < shape.classifiers().size(); h++) {
      Reals normed = keep.reals(FloatHead.normKey(h), 0);
      classifier.backward(run.gemm(), h, normed, gLogits, gNorm, gradients, count, scratch);
      short[] input = keep.shorts(inputKey(h), 0);
      norm.backward(input, gNorm, target, from + h * dim, stride, gradients, count, scratch);
    }
  }
}
