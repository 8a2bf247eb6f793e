package org.ivit.train.operator.integer;

import java.util.List;
import org.ivit.core.architecture.Head;
import org.ivit.core.arithmetic.Pooling;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.graph.NodeBuilder;
import org.ivit.core.graph.Pool;
import org.ivit.core.scheme.NodeScales;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Chunk;
import org.ivit.train.operator.Execution;
import org.ivit.train.operator.SeenRanges;
import org.ivit.train.operator.floating.FloatHead;
import org.ivit.train.operator.floating.FloatPooledHead;
import org.ivit.train.parameter.PartSpec;

/**
 * Norm, mean over all tokens and classifier in integers: dequantized codes [batch, tokens, dim] to
 * dequantized logits [batch, classes].
 */
public final class QuantizedPooledHead extends ClassifyingOperator {
  private float inputScale;
  private Pool pool;

  /**
   * @param spec of the head
   * @param shape sizes
   * @param scheme forms, widths, outlier channels
   */
  public QuantizedPooledHead(PartSpec spec, Head shape, Scheme scheme) {
    super(spec, shape, shape.tokens(), scheme);
  }

  @Override
  protected void prepare(Reals weights, int batch, Execution run) {
    NodeBuilder nodes = nodes(weights);
    NodeScales scales = scales(weights);
    inputScale = inputScale(weights);
    float normScale = scales.of(shape.norm());
    float poolScale = scales.of(shape.pool());
    norm.prepare(nodes.norm(shape.norm(), normScale), weights, inputScale);
    pool = Pool.of(normScale, shape.tokens(), poolScale);
    classifier.prepare(nodes, poolScale, scheme, batch, run.type());
  }

  @Override
  protected void forward(Reals weights, Reals x, Reals y, Chunk chunk, Execution run) {
    int first = chunk.first();
    int count = chunk.count();
    Buffers keep = chunk.keep();
    Buffers scratch = chunk.scratch();
    SeenRanges values = chunk.seen();
    int dim = shape.dim();
    int rows = count * shape.tokens();
    short[] input = keep.shorts("input", rows * dim);
    Codes.recover(x, first * shape.tokens() * dim, inputScale, input, rows * dim, scratch);
    byte[] codes = scratch.bytes("codes", rows * dim);
    norm.forward(input, codes, rows, values, scratch);
    byte[] means = scratch.bytes("pool", count * dim);
    pool(codes, means, count, values);
    Reals pooled = keep.reals("pool", count * dim);
    pooled.put(0, means, 0, count * dim);
    classifier.forward(run.gemm(), List.of(pooled), y, first, count, scratch);
  }

  private void pool(byte[] codes, byte[] means, int count, SeenRanges values) {
    int dim = shape.dim();
    long min = Long.MAX_VALUE;
    long max = Long.MIN_VALUE;
    for (int i = 0; i < count; i++) {
      for (int c = 0; c < dim; c++) {
        long sum = 0;
        for (int t = 0; t < shape.tokens(); t++) {
          sum += codes[(i * shape.tokens() + t) * dim + c];
        }
        min = Math.min(min, sum);
        max = Math.max(max, sum);
        means[i * dim + c] = Quantizer.clamp8(pool.multiplier().apply(sum));
      }
    }
    if (values != null) {
      double scale = Pooling.sumScale(norm.node().outputScale(), shape.tokens());
      values.include(shape.pool().name(), min * scale, max * scale);
    }
  }

  @Override
  protected void backward(
      Reals weights, Reals x, Reals gy, Reals gx, Reals gradients, Chunk chunk, Execution run) {
    int first = chunk.first();
    int count = chunk.count();
    Buffers keep = chunk.keep();
    Buffers scratch = chunk.scratch();
    int dim = shape.dim();
    int tokens = shape.tokens();
    Reals gPool = scratch.reals("gPool", count * dim);
    Reals pooled = keep.reals("pool", 0);
    Reals gLogits = FloatHead.part(shape, gy, first, count, scratch);
    classifier.backward(run.gemm(), 0, pooled, gLogits, gPool, gradients, count, scratch);
    Reals gNorm = scratch.reals("gNorm", count * tokens * dim);
    FloatPooledHead.spread(shape, gPool, count, gNorm, scratch);
    Reals target = gx == null ? scratch.reals("gInput", count * tokens * dim) : gx;
    int from = gx == null ? 0 : first * tokens * dim;
    target.clear(from, count * tokens * dim);
    short[] input = keep.shorts("input", 0);
    norm.backward(input, gNorm, target, from, dim, gradients, count * tokens, scratch);
  }
}
