package org.ivit.train.operator.integer;

import org.ivit.core.architecture.MeanPooling;
import org.ivit.core.graph.Pool;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Chunk;
import org.ivit.train.operator.Execution;
import org.ivit.train.parameter.PartSpec;

/**
 * The mean over the patches of the stream in integers: dequantized 16-bit codes [batch, tokens,
 * dim] to dequantized 16-bit codes [batch, 1, dim].
 */
public final class QuantizedMeanPooling extends QuantizedPartOperator {
  private final MeanPooling part;
  private final QuantPool pool;
  private float inputScale;

  /**
   * @param spec of the pooling
   * @param part sizes
   * @param scheme forms, widths, outlier channels
   */
  public QuantizedMeanPooling(PartSpec spec, MeanPooling part, Scheme scheme) {
    super(spec, part.tokens(), scheme);
    this.part = part;
    this.pool = new QuantPool(part.output().name(), part.tokens(), part.leading(), part.dim());
  }

  @Override
  protected void prepare(Reals weights, int batch, Execution run) {
    inputScale = inputScale(weights);
    pool.prepare(
        Pool.of(inputScale, part.pooledTokens(), scales(weights).of(part.output())), inputScale);
  }

  @Override
  protected void forward(Reals weights, Reals x, Reals y, Chunk chunk, Execution run) {
    int count = chunk.count();
    int dim = part.dim();
    Buffers scratch = chunk.scratch();
    int size = part.tokens() * dim;
    short[] input = scratch.shorts("input", count * size);
    Codes.recover(x, chunk.first() * size, inputScale, input, count * size, scratch);
    short[] out = scratch.shorts("output", count * dim);
    pool.means(pool.sums(input, count, scratch), out, count, chunk.seen());
    float scale = pool.node().outputScale();
    Codes.dequantize(out, count * dim, scale, y, chunk.first() * dim, scratch);
  }

  @Override
  protected void backward(
      Reals weights, Reals x, Reals gy, Reals gx, Reals gradients, Chunk chunk, Execution run) {
    if (gx == null) {
      return;
    }
    int dim = part.dim();
    int at = chunk.first() * part.tokens() * dim;
    pool.backward(gy, chunk.first() * dim, gx, at, chunk.count(), chunk.scratch());
  }
}
