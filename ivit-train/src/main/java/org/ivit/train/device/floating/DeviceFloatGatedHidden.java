package org.ivit.train.device.floating;

import org.ivit.core.architecture.Block;
import org.ivit.core.cuda.Structure;
import org.ivit.train.device.memory.DeviceBuffers;
import org.ivit.train.device.pass.NodeLayout;
import org.ivit.train.device.pass.Pass;

/**
 * SwiGLU of the float network on the device: two products, of which one gates the other, and the
 * norm behind, if any.
 */
final class DeviceFloatGatedHidden implements DeviceFloatHidden {
  private final Block site;
  private final DeviceBuffers activations;
  private final DeviceFloatLinear gate;
  private final DeviceFloatLinear value;

  /** The norm of gated values; null where there is none. */
  private final DeviceFloatNorm norm;

  private static final class RealGatingArguments extends Structure {
    private final Field<Long> gates = address();
    private final Field<Long> values = address();
    private final Field<Long> to = address();
    private final Field<Long> gradient = address();
    private final Field<Long> byValues = address();
    private final Field<Long> count = int64();
  }

  /** As of {@link DeviceFloatMlp}, for the gated one of a block. */
  DeviceFloatGatedHidden(Pass pass, NodeLayout layout, Block site, DeviceBuffers activations) {
    this.site = site;
    this.activations = activations;
    gate = new DeviceFloatLinear(layout, site.fc1Linear());
    value = new DeviceFloatLinear(layout, site.valueLinear());
    norm =
        site.gatedNorm()
            ? new DeviceFloatNorm(pass, layout, site.mlpNorm(), site.hidden(), site.epsilon())
            : null;
  }

  @Override
  public long forward(Pass pass, long normed, int rows) {
    long count = (long) rows * site.hidden();
    RealGatingArguments a = arguments(rows);
    gate.forward(pass, normed, rows, activations.of("fc1_g", count, 4));
    value.forward(pass, normed, rows, activations.of("fc1_x", count, 4));
    long gated = activations.of("act", count, 4);
    a.to.set(gated);
    a.gradient.set(0L);
    a.byValues.set(0L);
    pass.each("gate_reals", count, 0, a);
    if (norm == null) {
      return gated;
    }
    long normedValues = activations.of("mlp.norm", count, 4);
    norm.forward(pass, gated, rows, site.hidden(), normedValues, 0);
    return normedValues;
  }

  private RealGatingArguments arguments(int rows) {
    long count = (long) rows * site.hidden();
    RealGatingArguments a = new RealGatingArguments();
    a.gates.set(activations.of("fc1_g", count, 4));
    a.values.set(activations.of("fc1_x", count, 4));
    a.count.set(count);
    return a;
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
          activations.of("act", 0, 4),
          gradient,
          byGated,
          site.hidden(),
          rows,
          0,
          pass.added());
    }
    long byValues = pass.scratch.of("gValues", count, 4);
    RealGatingArguments a = arguments(rows);
    a.to.set(0L);
    a.gradient.set(byGated);
    a.byValues.set(byValues);
    pass.each("gate_reals_backward", count, 0, a);
    gate.backward(pass, normed, byGated, gNorm, rows);
    long more = pass.scratch.of("gOrdered", (long) rows * site.dim(), 4);
    value.backward(pass, normed, byValues, more, rows);
    DeviceFloatAdd.run(pass, gNorm, more, gNorm, (long) rows * site.dim());
  }

  @Override
  public void close() {
    if (norm != null) {
      norm.close();
    }
  }
}
