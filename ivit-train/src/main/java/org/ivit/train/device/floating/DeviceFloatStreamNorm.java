package org.ivit.train.device.floating;

import org.ivit.core.architecture.Norm;
import org.ivit.train.device.pass.FirstTokens;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.parameter.PartSpec;

/** A norm of the stream of the float network on the device. */
final class DeviceFloatStreamNorm extends FloatPart {
  private final Norm shape;
  private final FirstTokens read;
  private final DeviceFloatNorm norm;
  private long input;

  DeviceFloatStreamNorm(Pass pass, PartSpec spec, Norm shape, int from) {
    super(pass, spec, from);
    this.shape = shape;
    read = new FirstTokens(shape.tokens(), spec.inputTokens(shape), shape.dim());
    norm = new DeviceFloatNorm(pass, layout, shape.output(), shape.dim(), shape.epsilon());
  }

  @Override
  public long forward(Pass pass, long x, int pictures) {
    int rows = pictures * shape.tokens();
    input = read.take(pass, kept, 4, x, pictures);
    long out = kept.of("norm", (long) rows * shape.dim(), 4);
    norm.forward(pass, input, rows, shape.dim(), out, 0);
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
  public void close() {
    super.close();
    norm.close();
  }
}
