package org.ivit.train.device.integer;

import org.ivit.core.architecture.Merging;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.graph.LayerNorm;
import org.ivit.core.graph.build.LinearConstants;
import org.ivit.core.graph.build.NodeBuilder;
import org.ivit.core.scheme.NodeScales;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.device.pass.RowGather;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.SeenRanges;
import org.ivit.train.parameter.PartSpec;

/** Patch merging on the device; its output are 8-bit codes in 16 bits. */
final class DeviceMerging extends QuantizedPart {
  private final Merging stage;
  private final DeviceNorm norm;
  private final DeviceLinear reduction;
  private LayerNorm builtNorm;
  private LinearConstants product;
  private float inputScale;

  DeviceMerging(Pass pass, PartSpec spec, Merging stage, Scheme scheme, int from) {
    super(pass, spec, scheme, from);
    this.stage = stage;
    norm = new DeviceNorm(pass, layout, stage.norm(), stage.mergedDim());
    reduction = new DeviceLinear(pass, layout, stage.reduction(), scheme.outliers(stage.norm()));
  }

  @Override
  public void quantize(Pass pass, Reals weights) {
    reduction.quantize(pass, weights, scales(weights));
  }

  @Override
  public void build(Pass pass, Reals weights) {
    NodeBuilder nodes = nodes(weights);
    NodeScales scales = scales(weights);
    inputScale = inputScale(weights);
    builtNorm = nodes.norm(stage.norm(), stage.epsilon(), inputScale, scales.of(stage.norm()));
    product = reduction.build(pass, nodes, scales);
  }

  @Override
  public void prepare(Pass pass, Reals weights) {
    norm.prepare(pass, builtNorm, weights, inputScale);
    reduction.prepare(pass, product);
  }

  @Override
  public void load(Pass pass) {
    reduction.load(pass);
  }

  private RowGather gather(boolean back) {
    long order = kept.constants("order", stage::order);
    return new RowGather(order, stage.tokens(), stage.dim(), back);
  }

  @Override
  public long forward(Pass pass, long x, int pictures) {
    long count = (long) pictures * stage.tokens() * stage.dim();
    int rows = pictures * stage.tokens() / 4;
    long merged = kept.of("merged", count, 2);
    gather(false).run(pass, 2, x, merged, 4L * rows);
    long codes = kept.of("norm", count, 1);
    norm.forward8(pass, merged, rows, codes, 0);
    long narrow = pass.scratch.of("codes", count / 2, 1);
    reduction.forward8(pass, codes, rows, narrow);
    long out = kept.of("reduction", count / 2, 2);
    widen8(pass, narrow, out, count / 2);
    return out;
  }

  @Override
  public long backward(Pass pass, long gy, int pictures) {
    long count = (long) pictures * stage.tokens() * stage.dim();
    int rows = pictures * stage.tokens() / 4;
    long gNorm = pass.scratch.of("gHidden", count, 4);
    reduction.backward(pass, kept.of("norm", 0, 1), gy, gNorm, rows);
    long gMerged = pass.scratch.of("gOrdered", count, 4);
    pass.clear(gMerged, count);
    norm.backward(
        pass, kept.of("merged", 0, 2), gNorm, gMerged, 4L * stage.dim(), rows, 0, pass.added());
    long gx = kept.of("gx", count, 4);
    gather(true).run(pass, 4, gMerged, gx, 4L * rows);
    return gx;
  }

  @Override
  public void seen(Pass pass, SeenRanges seen) {
    norm.seen(pass, seen);
    reduction.seen(pass, OutlierChannels.NONE, seen);
  }

  @Override
  public void close() {
    super.close();
    norm.close();
    reduction.close();
  }
}
