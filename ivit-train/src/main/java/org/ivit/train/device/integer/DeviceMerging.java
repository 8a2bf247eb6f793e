package org.ivit.train.device.integer;

import org.ivit.core.architecture.Swin;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.graph.LayerNorm;
import org.ivit.core.graph.LinearConstants;
import org.ivit.core.graph.LinearScales;
import org.ivit.core.graph.NodeBuilder;
import org.ivit.core.graph.Scheme;
import org.ivit.train.device.memory.DeviceBuffers;
import org.ivit.train.device.pass.NodeLayout;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.device.pass.RowGather;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.SeenRanges;
import org.ivit.train.operator.integer.QuantizedMerging;
import org.ivit.train.parameter.MergingShape;
import org.ivit.train.parameter.ParameterLayout;
import org.ivit.train.parameter.ParameterView;

/** Patch merging on the device; its output are 8-bit codes in 16 bits. */
final class DeviceMerging implements QuantizedPart {
  private final Swin.Stage stage;
  private final Scheme scheme;
  private final NodeLayout layout;
  private final DeviceNorm norm;
  private final DeviceLinear reduction;
  private final DeviceBuffers kept;
  private LayerNorm builtNorm;
  private LinearConstants product;
  private float normScale;
  private float inputScale;

  DeviceMerging(Pass pass, Swin.Stage stage, Scheme scheme, int from) {
    this.stage = stage;
    this.scheme = scheme;
    layout =
        NodeLayout.of(
            stage.downsample(), new QuantizedMerging(stage, stage.output(), scheme), from);
    int dim = stage.dim();
    norm = new DeviceNorm(pass, layout, "norm", 4 * dim);
    reduction =
        new DeviceLinear(
            pass, layout, "reduction", 4 * dim, 2 * dim, scheme.outliers(stage.mergeNorm()));
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

  private Reals own(Reals weights) {
    return weights.part(layout.from(), layout().size());
  }

  @Override
  public void quantize(Pass pass, Reals weights) {
    normScale = layout.scale(scheme, own(weights), stage.mergeNorm());
    reduction.quantize(pass, weights, normScale);
  }

  @Override
  public void build(Pass pass, Reals weights) {
    Reals own = own(weights);
    NodeBuilder nodes =
        new NodeBuilder(ParameterView.ofVectors(layout(), layout.prefix(), own), scheme);
    inputScale = layout.scale(scheme, own, stage.output());
    builtNorm = nodes.norm(stage.mergeNorm(), normScale);
    String name = stage.reduction();
    product =
        nodes.constants(
            name,
            reduction.channels(pass),
            new LinearScales(
                name, normScale, builtNorm.outputOutliers(), layout.scale(scheme, own, name)));
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

  @Override
  public void draw(Pass pass) {
    // Nothing is random here.
  }

  private RowGather gather(boolean back) {
    long order = kept.constants("order", () -> MergingShape.sources(stage));
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
    WidenArguments a = new WidenArguments();
    a.codes.set(narrow);
    a.to.set(out);
    a.count.set(count / 2);
    pass.each("widen_codes", count / 2, 0, a);
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
    norm.close();
    reduction.close();
    kept.close();
  }
}
