package org.ivit.train.device.integer;

import org.ivit.core.architecture.MeanPooling;
import org.ivit.core.graph.Pool;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.SeenRanges;
import org.ivit.train.parameter.PartSpec;

/** The mean over the patches of the stream on the device. */
final class DeviceMeanPooling extends QuantizedPart {
  private final MeanPooling shape;
  private final CodeMean mean;
  private float inputScale;
  private Pool pool;

  DeviceMeanPooling(Pass pass, PartSpec spec, MeanPooling shape, Scheme scheme, int from) {
    super(pass, spec, scheme, from);
    this.shape = shape;
    mean = new CodeMean(shape.output().name(), shape.tokens(), shape.leading(), shape.dim());
  }

  @Override
  public void quantize(Pass pass, Reals weights) {
    // It has no weights.
  }

  @Override
  public void build(Pass pass, Reals weights) {
    inputScale = inputScale(weights);
    pool = nodes(weights).meanPooling(shape, scales(weights), inputScale).pool();
  }

  @Override
  public void prepare(Pass pass, Reals weights) {
    mean.prepare(pass, pool, inputScale);
  }

  @Override
  public void load(Pass pass) {
    // It has no weights.
  }

  @Override
  public long forward(Pass pass, long x, int pictures) {
    long out = kept.of("pool", (long) pictures * shape.dim(), 2);
    mean.forward16(pass, x, pictures, out);
    return out;
  }

  @Override
  public long backward(Pass pass, long gy, int pictures) {
    long gx = kept.of("gx", (long) pictures * shape.tokens() * shape.dim(), 4);
    mean.backward(pass, gy, pictures, gx);
    return gx;
  }

  @Override
  public void seen(Pass pass, SeenRanges seen) {
    mean.seen(pass, seen);
  }
}
