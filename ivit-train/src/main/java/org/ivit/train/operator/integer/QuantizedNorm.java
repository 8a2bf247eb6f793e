package org.ivit.train.operator.integer;

import org.ivit.core.architecture.Norm;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Chunk;
import org.ivit.train.operator.Execution;
import org.ivit.train.parameter.PartSpec;

/**
 * A norm of the stream in integers: dequantized 16-bit codes, of which it reads the first tokens of
 * each picture, to dequantized 16-bit codes [batch, tokens, dim].
 */
public final class QuantizedNorm extends QuantizedPartOperator {
  private final Norm part;
  private final int size;

  /** Numbers of a picture in the input. */
  private final int stride;

  private final QuantNorm norm;
  private float inputScale;

  /**
   * @param spec of the norm
   * @param part name and sizes
   * @param scheme forms, widths, outlier channels
   */
  public QuantizedNorm(PartSpec spec, Norm part, Scheme scheme) {
    super(spec, part.tokens(), scheme);
    this.part = part;
    this.size = part.tokens() * part.dim();
    this.stride = spec.inputTokens(part) * part.dim();
    this.norm = new QuantNorm(spec.prefix(), layout(), part.output(), part.dim());
  }

  @Override
  protected void prepare(Reals weights, int batch, Execution run) {
    inputScale = inputScale(weights);
    norm.prepare(
        nodes(weights).norm(part, scales(weights), inputScale).norm(), weights, inputScale);
  }

  @Override
  protected void forward(Reals weights, Reals x, Reals y, Chunk chunk, Execution run) {
    int count = chunk.count();
    Buffers scratch = chunk.scratch();
    short[] input = chunk.keep().shorts("input", count * size);
    int from = chunk.first() * stride;
    Codes.recoverRuns(x, from, stride, inputScale, input, size, count, scratch);
    short[] out = scratch.shorts("output", count * size);
    norm.forward(input, out, count * part.tokens(), chunk.seen(), scratch);
    float scale = norm.node().outputScale();
    Codes.dequantize(out, count * size, scale, y, chunk.first() * size, scratch);
  }

  @Override
  protected void backward(
      Reals weights, Reals x, Reals gy, Reals gx, Reals gradients, Chunk chunk, Execution run) {
    int count = chunk.count();
    Buffers scratch = chunk.scratch();
    short[] input = chunk.keep().shorts("input", 0);
    Reals gNorm = scratch.reals("gNorm", count * size);
    gNorm.put(0, gy, chunk.first() * size, count * size);
    Reals gInput = scratch.reals("gInput", count * size);
    gInput.clear(0, count * size);
    int rows = count * part.tokens();
    norm.backward(input, gNorm, gInput, 0, part.dim(), gradients, rows, scratch);
    for (int i = 0; gx != null && i < count; i++) {
      int at = (chunk.first() + i) * stride;
      gx.put(at, gInput, i * size, size);
      gx.clear(at + size, stride - size);
    }
  }
}
