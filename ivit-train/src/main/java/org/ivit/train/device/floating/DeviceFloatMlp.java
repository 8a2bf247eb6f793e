package org.ivit.train.device.floating;

import org.ivit.train.device.memory.DeviceBuffers;
import org.ivit.train.device.pass.BranchDrop;
import org.ivit.train.device.pass.MlpSite;
import org.ivit.train.device.pass.NodeLayout;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.operator.DropPath;

/** Norm, MLP and residual addition of the float network on the device. */
final class DeviceFloatMlp implements AutoCloseable {
  private final MlpSite site;
  private final DeviceBuffers activations;
  private final DeviceFloatNorm norm;
  private final DeviceFloatHidden hidden;
  private final DeviceFloatLinear fc2;
  private final BranchDrop drop;
  private long input;
  private long active;

  /**
   * @param pass what parts share
   * @param layout of the part
   * @param site names and sizes
   * @param drop of the branch
   * @param activations memory that lasts until the way back; of the part
   */
  DeviceFloatMlp(
      Pass pass, NodeLayout layout, MlpSite site, DropPath drop, DeviceBuffers activations) {
    this.site = site;
    this.activations = activations;
    norm = new DeviceFloatNorm(pass, layout, site.norm(), site.dim(), site.epsilon());
    hidden =
        site.gated() == null
            ? new DeviceFloatPlainHidden(layout, site, activations)
            : new DeviceFloatGatedHidden(pass, layout, site.gated(), activations);
    fc2 = new DeviceFloatLinear(layout, site.fc2());
    this.drop = new BranchDrop(drop, site.size());
  }

  void draw(Pass pass) {
    drop.draw(pass);
  }

  /**
   * @param x address, [pictures·tokens][dim]; it lasts until the way back
   * @param out receives as many
   */
  void forward(Pass pass, long x, int pictures, long out) {
    int dim = site.dim();
    int rows = pictures * site.tokens();
    input = x;
    long normed = activations.of("norm2", (long) rows * dim, 4);
    norm.forward(pass, x, rows, dim, normed, 0);
    active = hidden.forward(pass, normed, rows);
    long branch = pass.scratch.of("branch", (long) rows * dim, 4);
    fc2.forward(pass, active, rows, branch);
    DeviceFloatAdd.residual(pass, drop, x, branch, out, pictures);
  }

  /**
   * @param g address of the gradient by the output, then by the input
   */
  void backward(Pass pass, long g, int pictures) {
    int dim = site.dim();
    int rows = pictures * site.tokens();
    long gBranch = drop.gradient(pass, g, pictures);
    long gHidden = pass.scratch.of("gHidden", (long) rows * site.hidden(), 4);
    fc2.backward(pass, active, gBranch, gHidden, rows);
    long gNorm = pass.scratch.of("gNorm", (long) rows * dim, 4);
    hidden.backward(pass, activations.of("norm2", 0, 4), gHidden, gNorm, rows);
    norm.backward(pass, input, gNorm, g, dim, rows, 0, pass.added());
  }

  @Override
  public void close() {
    norm.close();
    hidden.close();
  }
}
