package org.ivit.train.device.integer;

import org.ivit.core.architecture.Block;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.graph.Gating;
import org.ivit.core.graph.LayerNorm;
import org.ivit.core.graph.build.LinearConstants;
import org.ivit.core.graph.build.NodeBuilder;
import org.ivit.core.scheme.NodeScales;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.device.memory.DeviceBuffers;
import org.ivit.train.device.pass.NodeLayout;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.SeenRanges;

/**
 * SwiGLU on the device: two products, of which one gates the other, and the norm behind, if any.
 */
final class DeviceGatedHidden implements DeviceHidden {
  private final Block site;
  private final DeviceBuffers activations;
  private final DeviceLinear gate;
  private final DeviceLinear value;
  private final DeviceGating gating;

  /** The norm of gated values; null where there is none. */
  private final DeviceNorm norm;

  private LinearConstants builtGate;
  private LinearConstants builtValue;
  private Gating builtGating;
  private LayerNorm builtNorm;

  /** As of {@link DeviceMlp}, for the gated one of a block. */
  DeviceGatedHidden(
      Pass pass, NodeLayout layout, Block site, Scheme scheme, DeviceBuffers activations) {
    this.site = site;
    this.activations = activations;
    OutlierChannels outliers = scheme.outliers(site.norm2());
    gate = new DeviceLinear(pass, layout, site.fc1Linear(), outliers);
    value = new DeviceLinear(pass, layout, site.valueLinear(), outliers);
    gating = new DeviceGating(site.hidden());
    norm = site.gatedNorm() ? new DeviceNorm(pass, layout, site.mlpNorm(), site.hidden()) : null;
  }

  @Override
  public void quantize(Pass pass, Reals weights, NodeScales scales) {
    gate.quantize(pass, weights, scales);
    value.quantize(pass, weights, scales);
  }

  @Override
  public void build(Pass pass, NodeBuilder nodes, NodeScales scales) {
    builtGate = gate.build(pass, nodes, scales);
    builtValue = value.build(pass, nodes, scales);
    builtGating = nodes.gating(site, scales);
    builtNorm = norm == null ? null : nodes.mlpNorm(site, scales);
  }

  @Override
  public void prepare(Pass pass, Reals weights) {
    gate.prepare(pass, builtGate);
    value.prepare(pass, builtValue);
    gating.prepare(pass, builtGating, builtGate.outputScale(), builtValue.outputScale());
    if (norm != null) {
      norm.prepare(pass, builtNorm, weights, builtGating.outputScale());
    }
  }

  @Override
  public double[] offsets() {
    return null;
  }

  @Override
  public void load(Pass pass) {
    gate.load(pass);
    value.load(pass);
  }

  @Override
  public long forward(Pass pass, long normed, int rows) {
    long count = (long) rows * site.hidden();
    long gates = activations.of("fc1_g", count, 1);
    gate.forward8(pass, normed, rows, gates);
    long values = activations.of("fc1_x", count, 1);
    value.forward8(pass, normed, rows, values);
    long active = activations.of("act", count, 1);
    if (norm == null) {
      gating.forward(pass, gates, values, rows, active);
      return active;
    }
    long stream = activations.of("gated", count, 2);
    gating.forward(pass, gates, values, rows, stream);
    norm.forward8(pass, stream, rows, active, 0);
    return active;
  }

  @Override
  public void backward(Pass pass, long normed, long gradient, long gNorm, int rows) {
    long count = (long) rows * site.hidden();
    long byGated = gradient;
    if (norm != null) {
      byGated = pass.scratch.of("gGated", count, 4);
      pass.clear(byGated, count);
      norm.backward(
          pass,
          activations.of("gated", 0, 2),
          gradient,
          byGated,
          site.hidden(),
          rows,
          0,
          pass.added());
    }
    long byValues = pass.scratch.of("gValues", count, 4);
    long gates = activations.of("fc1_g", 0, 1);
    long values = activations.of("fc1_x", 0, 1);
    gating.backward(pass, gates, values, byGated, byValues, rows);
    gate.backward(pass, normed, byGated, gNorm, rows);
    value.backwardAdded(pass, normed, byValues, gNorm, rows);
  }

  @Override
  public void seen(Pass pass, SeenRanges seen) {
    gate.seen(pass, OutlierChannels.NONE, seen);
    value.seen(pass, OutlierChannels.NONE, seen);
    gating.seen(pass, seen);
    if (norm != null) {
      norm.seen(pass, seen);
    }
  }

  @Override
  public void close() {
    gate.close();
    value.close();
    if (norm != null) {
      norm.close();
    }
  }
}
