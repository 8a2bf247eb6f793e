package org.ivit.train.device.floating;

import org.ivit.core.architecture.Merging;
import org.ivit.train.device.memory.DeviceBuffers;
import org.ivit.train.device.pass.DevicePart;
import org.ivit.train.device.pass.NodeLayout;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.device.pass.RowGather;
import org.ivit.train.parameter.ParameterLayout;
import org.ivit.train.parameter.PartSpec;

/** Patch merging of the float network on the device. */
final class DeviceFloatMerging implements DevicePart {
  private final Merging stage;
  private final NodeLayout layout;
  private final DeviceFloatNorm norm;
  private final DeviceFloatLinear reduction;
  private final DeviceBuffers kept;

  DeviceFloatMerging(Pass pass, PartSpec spec, Merging stage, int from) {
    this.stage = stage;
    layout = NodeLayout.floating(spec, from);
    int dim = stage.dim();
    norm = new DeviceFloatNorm(pass, layout, "norm", 4 * dim, stage.epsilon());
    reduction = new DeviceFloatLinear(layout, "reduction", 4 * dim, 2 * dim);
    kept = new DeviceBuffers(pass.device);
  }

  @Override
  public String prefix() {
    return layout.prefix();
  }

  @Override
  public ParameterLayout layout() {
    return layout.layout();
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
    norm.close();
    kept.close();
  }
}
