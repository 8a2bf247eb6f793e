package org.ivit.train.device.integer;

import org.ivit.core.architecture.Norm;
import org.ivit.core.graph.LayerNorm;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.device.pass.FirstTokens;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.SeenRanges;
import org.ivit.train.parameter.PartSpec;

/** A norm of the stream on the device, 16-bit codes to 16-bit codes. */
final class DeviceStreamNorm extends QuantizedPart {
  private final Norm shape;
  private final FirstTokens read;
  private final DeviceNorm norm;
  private LayerNorm built;
  private float inputScale;
  private long input;

  DeviceStreamNorm(Pass pass, PartSpec spec, Norm shape, Scheme scheme, int from) {
    super(pass, spec, scheme, from);
    this.shape = shape;
    read = new FirstTokens(shape.tokens(), spec.inputTokens(shape), shape.dim());
    norm = new DeviceNorm(pass, layout, shape.output(), shape.dim());
  }

  @Override
  public void quantize(Pass pass, Reals weights) {
    // It has no matrices.
  }

  @Override
  public void build(Pass pass, Reals weights) {
    inputScale = inputScale(weights);
    built = nodes(weights).norm(shape, scales(weights), inputScale).norm();
  }

  @Override
  public void prepare(Pass pass, Reals weights) {
    norm.prepare(pass, built, weights, inputScale);
  }

  @Override
  public void load(Pass pass) {
    // It has no matrices.
  }

  @Override
  public long forward(Pass pass, long x, int pictures) {
    int rows = pictures * shape.tokens();
    input = read.take(pass, kept, 2, x, pictures);
    long out = kept.of("norm", (long) rows * shape.dim(), 2);
    norm.forward16(pass, input, rows, out, 0);
    return out;
  }

  @Override
  public long backward(Pass pass, long gy, int pictures) {
    int rows = pictures * shape.tokens();
    long count = (long) rows * shape.dim();
    long gTokens = kept.of("gTokens", count, 4);
    pass.clear(gTokens, count);
    norm.backward(pass, input, gy, gTokens, shape.dim(), rows, 0, pass.added());
    return read.gradient(pass, kept, gTokens, pictures);
  }

  @Override
  public void seen(Pass pass, SeenRanges seen) {
    norm.seen(pass, seen);
  }

  @Override
  public void close() {
    super.close();
    norm.close();
  }
}
