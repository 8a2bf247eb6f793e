package org.ivit.train.device.floating;

import org.ivit.core.architecture.Merging;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.device.pass.RowGather;
import org.ivit.train.parameter.PartSpec;

/** Patch merging of the float network on the device. */
final class DeviceFloatMerging extends FloatPart {
  private final Merging stage;
  private final DeviceFloatNorm norm;
  private final DeviceFloatLinear reduction;

  DeviceFloatMerging(Pass pass, PartSpec spec, Merging stage, int from) {
    super(pass, spec, from);
    this.stage = stage;
    norm = new DeviceFloatNorm(pass, layout, stage.norm(), channels(), stage.epsilon());
    reduction = new DeviceFloatLinear(layout, stage.reduction());
  }

  private RowGather gather(boolean back) {
    long order = kept.constants("order", stage::order);
    return new RowGather(order, stage.tokens(), stage.dim(), back);
  }

  private int channels() {
    return 4 * stage.dim();
  }

  @Override
  public long forward(Pass pass, long x, int pictures) {
    int rows = pictures * stage.tokens() / 4;
    long count = (long) rows * channels();
    long merged = kept.of("merged", count, 4);
    gather(false).run(pass, 4, x, merged, 4L * rows);
    long normed = kept.of("norm", count, 4);
    norm.forward(pass, merged, rows, channels(), normed, 0);
    long out = kept.of("reduction", count / 2, 4);
    reduction.forward(pass, normed, rows, out);
    return out;
  }

  @Override
  public long backward(Pass pass, long gy, int pictures) {
    int rows = pictures * stage.tokens() / 4;
    long count = (long) rows * channels();
    long gNorm = pass.scratch.of("gHidden", count, 4);
    reduction.backward(pass, kept.of("norm", 0, 4), gy, gNorm, rows);
    long gMerged = pass.scratch.of("gOrdered", count, 4);
    pass.clear(gMerged, count);
    norm.backward(pass, kept.of("merged", 0, 4), gNorm, gMerged, channels(), rows, 0, pass.added());
    long gx = kept.of("gx", count, 4);
    gather(true).run(pass, 4, gMerged, gx, 4L * rows);
    return gx;
  }

  @Override
  public void close() {
    super.close();
    norm.close();
  }
}
