package org.ivit.train.device.floating;

import org.ivit.core.architecture.Block;
import org.ivit.train.device.memory.DeviceBuffers;
import org.ivit.train.device.pass.BranchDrop;
import org.ivit.train.device.pass.MlpSite;
import org.ivit.train.device.pass.PairRotation;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.device.pass.RowGather;
import org.ivit.train.operator.DropPath;
import org.ivit.train.parameter.PartSpec;

/** A transformer block of the float network on the device. */
final class DeviceFloatBlock extends FloatPart {
  private final Block site;

  /** Whether attention takes tokens in another order than the picture's. */
  private final boolean reordered;

  private final DeviceFloatNorm norm1;
  private final DeviceFloatLinear qkv;

  /** Rotary positions; null where there are none. */
  private final PairRotation rotation;

  private final DeviceFloatAttention attention;
  private final DeviceFloatLinear proj;
  private final BranchDrop drop1;
  private final DeviceFloatMlp mlp;
  private final DeviceBuffers activations;
  private long input;

  /**
   * @param pass what parts share
   * @param spec of the block
   * @param site name and sizes
   * @param from index of the block's first parameter in the network
   */
  DeviceFloatBlock(Pass pass, PartSpec spec, Block site, int from) {
    super(pass, spec, from);
    this.site = site;
    reordered = !site.inOrder();
    int dim = site.dim();
    int size = site.tokens() * dim;
    activations = pass.recomputed == null ? new DeviceBuffers(pass.device) : pass.recomputed;
    norm1 = new DeviceFloatNorm(pass, layout, site.norm1(), dim, site.epsilon());
    qkv = new DeviceFloatLinear(layout, site.qkvLinear());
    rotation = site.rotary() == null ? null : PairRotation.ofAngles(pass, site);
    attention =
        new DeviceFloatAttention(
            pass, site, site.windows() == null ? -1 : layout.at(spec.local(site.positionTable())));
    proj = new DeviceFloatLinear(layout, site.projLinear());
    drop1 = new BranchDrop(DropPath.of(spec, 0), size);
    mlp = new DeviceFloatMlp(pass, layout, MlpSite.of(site), DropPath.of(spec, 1), activations);
  }

  @Override
  public void draw(Pass pass) {
    drop1.draw(pass);
    mlp.draw(pass);
  }

  /** Rows of windows from rows of pictures, or back; the rows themselves where both are one. */
  private long ordered(Pass pass, long rows, String name, int count, boolean back) {
    if (!reordered) {
      return rows;
    }
    long ordered = pass.scratch.of(name, (long) count * site.dim(), 4);
    gather(back).run(pass, 4, rows, ordered, count);
    return ordered;
  }

  private RowGather gather(boolean back) {
    long order = kept.constants("order", site.windows()::order);
    return new RowGather(order, site.tokens(), site.dim(), back);
  }

  @Override
  public long forward(Pass pass, long x, int pictures) {
    int dim = site.dim();
    int rows = pictures * site.tokens();
    input = x;
    pass.hold(this);
    long normed1 = activations.of("norm1", (long) rows * dim, 4);
    if (!reordered) {
      norm1.forward(pass, x, rows, dim, normed1, 0);
    } else {
      long inPicture = pass.scratch.of("branch", (long) rows * dim, 4);
      norm1.forward(pass, x, rows, dim, inPicture, 0);
      gather(false).run(pass, 4, inPicture, normed1, rows);
    }
    long projections = activations.of("qkv", 3L * rows * dim, 4);
    qkv.forward(pass, normed1, rows, projections);
    if (rotation != null) {
      rotation.run(pass, projections, rows, false);
    }
    long probabilities = activations.of("probabilities", attention.probabilities(pictures), 4);
    long context = activations.of("context", (long) rows * dim, 4);
    attention.forward(pass, projections, probabilities, pictures, context);
    long branch = pass.scratch.of("branch", (long) rows * dim, 4);
    proj.forward(pass, context, rows, branch);
    long middle = activations.of("residual1", (long) rows * dim, 4);
    branch = ordered(pass, branch, "ordered branch", rows, true);
    DeviceFloatAdd.residual(pass, drop1, x, branch, middle, pictures);
    long sum = kept.of("residual2", (long) rows * dim, 4);
    mlp.forward(pass, middle, pictures, sum);
    return sum;
  }

  @Override
  public long backward(Pass pass, long gy, int pictures) {
    int dim = site.dim();
    int rows = pictures * site.tokens();
    if (!pass.holds(this)) {
      forward(pass, input, pictures);
    }
    // From here on gy is the gradient by the middle of the block, then by its input.
    mlp.backward(pass, gy, pictures);
    long gBranch = ordered(pass, drop1.gradient(pass, gy, pictures), "gOrdered", rows, false);
    long gContext = pass.scratch.of("gContext", (long) rows * dim, 4);
    proj.backward(pass, activations.of("context", 0, 4), gBranch, gContext, rows);
    long gQkv = pass.scratch.of("gQkv", 3L * rows * dim, 4);
    attention.backward(
        pass,
        activations.of("qkv", 0, 4),
        activations.of("probabilities", 0, 4),
        gContext,
        gQkv,
        pictures);
    if (rotation != null) {
      rotation.run(pass, gQkv, rows, true);
    }
    long gNorm = pass.scratch.of("gNorm", (long) rows * dim, 4);
    qkv.backward(pass, activations.of("norm1", 0, 4), gQkv, gNorm, rows);
    gNorm = ordered(pass, gNorm, "gOrdered", rows, true);
    norm1.backward(pass, input, gNorm, gy, dim, rows, 0, pass.added());
    return gy;
  }

  @Override
  public void close() {
    super.close();
    activations.close();
    if (rotation != null) {
      rotation.close();
    }
    attention.close();
    norm1.close();
    mlp.close();
  }
}
