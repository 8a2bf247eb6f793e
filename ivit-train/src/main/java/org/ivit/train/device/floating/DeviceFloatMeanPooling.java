package org.ivit.train.device.floating;

import org.ivit.core.architecture.MeanPooling;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.parameter.PartSpec;

/** The mean over the patches of the stream of the float network on the device. */
final class DeviceFloatMeanPooling extends FloatPart {
  private final MeanPooling shape;
  private final TokenMean mean;

  DeviceFloatMeanPooling(Pass pass, PartSpec spec, MeanPooling shape, int from) {
    super(pass, spec, from);
    this.shape = shape;
    mean = new TokenMean(shape.tokens(), shape.leading(), shape.dim());
  }

  @Override
  public long forward(Pass pass, long x, int pictures) {
    long out = kept.of("pool", (long) pictures * shape.dim(), 4);
    mean.forward(pass, x, pictures, out);
    return out;
  }

  @Override
  public long backward(Pass pass, long gy, int pictures) {
    long gx = kept.of("gx", (long) pictures * shape.tokens() * shape.dim(), 4);
    mean.backward(pass, gy, pictures, gx);
    return gx;
  }
}
