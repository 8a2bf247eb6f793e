package org.ivit.train.device.integer;

import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.graph.Gelu;
import org.ivit.core.graph.build.LinearConstants;
import org.ivit.core.graph.build.NodeBuilder;
import org.ivit.core.scheme.NodeScales;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.device.memory.DeviceBuffers;
import org.ivit.train.device.pass.MlpSite;
import org.ivit.train.device.pass.NodeLayout;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.SeenRanges;

/** A product and its activation function on the device. */
final class DevicePlainHidden implements DeviceHidden {
  private final MlpSite site;
  private final Scheme scheme;
  private final DeviceBuffers activations;
  private final DeviceLinear fc1;
  private final DeviceGelu gelu;
  private LinearConstants builtFc1;
  private Gelu builtGelu;

  /** As of {@link DeviceMlp}, for a plain one. */
  DevicePlainHidden(
      Pass pass, NodeLayout layout, MlpSite site, Scheme scheme, DeviceBuffers activations) {
    this.site = site;
    this.scheme = scheme;
    this.activations = activations;
    fc1 = new DeviceLinear(pass, layout, site.fc1(), scheme.outliers(site.norm()));
    gelu = new DeviceGelu(site.activation());
  }

  @Override
  public void quantize(Pass pass, Reals weights, NodeScales scales) {
    fc1.quantize(pass, weights, scales);
  }

  @Override
  public void build(Pass pass, NodeBuilder nodes, NodeScales scales) {
    builtFc1 = fc1.build(pass, nodes, scales);
    builtGelu =
        nodes.gelu(site.activation(), builtFc1.outputScale(), scales.of(site.activation().node()));
  }

  @Override
  public void prepare(Pass pass, Reals weights) {
    fc1.prepare(pass, builtFc1);
    gelu.prepare(
        pass,
        builtGelu,
        scheme.gelu(),
        builtFc1.outputScale(),
        scheme.outliers(site.activation().input()));
  }

  @Override
  public double[] offsets() {
    return scheme.gelu() == GeluForm.ASYMMETRIC
        ? DeviceLinear.geluOffsets(
            site.hidden(), builtGelu.outputScale(), builtGelu.outputOutliers())
        : null;
  }

  @Override
  public void load(Pass pass) {
    fc1.load(pass);
  }

  @Override
  public long forward(Pass pass, long normed, int rows) {
    long before = activations.of("fc1", (long) rows * site.hidden(), 1);
    fc1.forward8(pass, normed, rows, before);
    long active = activations.of("act", (long) rows * site.hidden(), 1);
    gelu.forward(pass, before, rows, active);
    return active;
  }

  @Override
  public void backward(Pass pass, long normed, long gradient, long gNorm, int rows) {
    gelu.backward(pass, activations.of("fc1", 0, 1), gradient, rows);
    fc1.backward(pass, normed, gradient, gNorm, rows);
  }

  @Override
  public void seen(Pass pass, SeenRanges seen) {
    fc1.seen(pass, scheme.outliers(site.activation().input()), seen);
    gelu.seen(pass, seen);
  }

  @Override
  public void close() {
    fc1.close();
  }
}
