package org.ivit.train.device.floating;

import org.ivit.core.cuda.Structure;
import org.ivit.train.device.memory.DeviceBuffers;
import org.ivit.train.device.pass.MlpSite;
import org.ivit.train.device.pass.NodeLayout;
import org.ivit.train.device.pass.Pass;

/** A product and its activation function in the float network on the device. */
final class DeviceFloatPlainHidden implements DeviceFloatHidden {
  private final MlpSite site;
  private final DeviceBuffers activations;
  private final DeviceFloatLinear fc1;

  private static final class RealGeluArguments extends Structure {
    private final Field<Long> from = address();
    private final Field<Long> to = address();
    private final Field<Long> gradient = address();
    private final Field<Long> count = int64();
  }

  /** As of {@link DeviceFloatMlp}, for a plain one. */
  DeviceFloatPlainHidden(NodeLayout layout, MlpSite site, DeviceBuffers activations) {
    this.site = site;
    this.activations = activations;
    fc1 = new DeviceFloatLinear(layout, site.fc1());
  }

  @Override
  public long forward(Pass pass, long normed, int rows) {
    long before = activations.of("fc1", (long) rows * site.hidden(), 4);
    fc1.forward(pass, normed, rows, before);
    long active = activations.of("act", (long) rows * site.hidden(), 4);
    activate(pass, "", before, active, 0, rows);
    return active;
  }

  private void activate(Pass pass, String way, long x, long y, long gradient, int rows) {
    long count = (long) rows * site.hidden();
    RealGeluArguments a = new RealGeluArguments();
    a.from.set(x);
    a.to.set(y);
    a.gradient.set(gradient);
    a.count.set(count);
    pass.each(site.activation().function().key() + "_reals" + way, count, 0, a);
  }

  @Override
  public void backward(Pass pass, long normed, long gradient, long gNorm, int rows) {
    activate(pass, "_backward", activations.of("fc1", 0, 4), 0, gradient, rows);
    fc1.backward(pass, normed, gradient, gNorm, rows);
  }

  @Override
  public void close() {}
}
