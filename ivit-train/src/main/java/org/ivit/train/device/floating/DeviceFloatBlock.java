package org.ivit.train.device.floating;

import org.ivit.core.architecture.Block;
import org.ivit.core.cuda.Structure;
import org.ivit.train.device.memory.DeviceBuffers;
import org.ivit.train.device.pass.BranchDrop;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.device.pass.RowGather;
import org.ivit.train.operator.DropPath;
import org.ivit.train.parameter.PartSpec;

/** A transformer block of the float network on the device. */
final class DeviceFloatBlock extends FloatPart {
  private final Block site;
  private final DeviceFloatNorm norm1;
  private final DeviceFloatLinear qkv;
  private final DeviceFloatAttention attention;
  private final DeviceFloatLinear proj;
  private final BranchDrop drop1;
  private final DeviceFloatNorm norm2;
  private final DeviceFloatLinear fc1;
  private final DeviceFloatLinear fc2;
  private final BranchDrop drop2;
  private final DeviceBuffers activations;
  private long input;

  private static final class RealGeluArguments extends Structure {
    private final Field<Long> from = address();
    private final Field<Long> to = address();
    private final Field<Long> gradient = address();
    private final Field<Long> count = int64();
  }

  /**
   * @param pass what parts share
   * @param spec of the block
   * @param site name and sizes
   * @param from index of the block's first parameter in the network
   */
  DeviceFloatBlock(Pass pass, PartSpec spec, Block site, int from) {
    super(pass, spec, from);
    this.site = site;
    int dim = site.dim();
    int size = site.tokens() * dim;
    norm1 = new DeviceFloatNorm(pass, layout, "norm1", dim, site.epsilon());
    qkv = new DeviceFloatLinear(layout, "attn.qkv", dim, 3 * dim);
    attention =
        new DeviceFloatAttention(
            pass, site, site.windows() == null ? -1 : layout.at(spec.local(site.positionTable())));
    proj = new DeviceFloatLinear(layout, "attn.proj", dim, dim);
    norm2 = new DeviceFloatNorm(pass, layout, "norm2", dim, site.epsilon());
    fc1 = new DeviceFloatLinear(layout, "mlp.fc1", dim, site.hidden());
    fc2 = new DeviceFloatLinear(layout, "mlp.fc2", site.hidden(), dim);
    this.drop1 = new BranchDrop(DropPath.of(spec, 0), size);
    this.drop2 = new BranchDrop(DropPath.of(spec, 1), size);
    activations = pass.recomputed == null ? new DeviceBuffers(pass.device) : pass.recomputed;
  }

  @Override
  public void draw(Pass pass) {
    drop1.draw(pass);
    drop2.draw(pass);
  }

  /** Rows of windows from rows of pictures, or back; the rows themselves without windows. */
  private long ordered(Pass pass, long rows, String name, int count, boolean back) {
    if (site.windows() == null) {
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
    if (site.windows() == null) {
      norm1.forward(pass, x, rows, dim, normed1, 0);
    } else {
      long inPicture = pass.scratch.of("branch", (long) rows * dim, 4);
      norm1.forward(pass, x, rows, dim, inPicture, 0);
      gather(false).run(pass, 4, inPicture, normed1, rows);
    }
    long projections = activations.of("qkv", 3L * rows * dim, 4);
    qkv.forward(pass, normed1, rows, projections);
    long probabilities = activations.of("probabilities", attention.probabilities(pictures), 4);
    long context = activations.of("context", (long) rows * dim, 4);
    attention.forward(pass, projections, probabilities, pictures, context);
    long branch = pass.scratch.of("branch", (long) rows * dim, 4);
    proj.forward(pass, context, rows, branch);
    long middle = activations.of("residual1", (long) rows * dim, 4);
    add(pass, drop1, x, ordered(pass, branch, "ordered branch", rows, true), middle, pictures);

    long normed2 = activations.of("norm2", (long) rows * dim, 4);
    norm2.forward(pass, middle, rows, dim, normed2, 0);
    long hidden = activations.of("fc1", (long) rows * site.hidden(), 4);
    fc1.forward(pass, normed2, rows, hidden);
    long active = activations.of("act", (long) rows * site.hidden(), 4);
    gelu(pass, "gelu_reals", hidden, active, 0, rows);
    fc2.forward(pass, active, rows, branch);
    long sum = kept.of("residual2", (long) rows * dim, 4);
    add(pass, drop2, middle, branch, sum, pictures);
    return sum;
  }

  private static void add(
      Pass pass, BranchDrop drop, long identity, long branch, long sum, int pictures) {
    long count = (long) pictures * drop.size();
    AddArguments a = new AddArguments();
    a.identity.set(identity);
    a.branch.set(branch);
    a.to.set(sum);
    a.factors.set(drop.factors(pass));
    a.count.set(count);
    a.size.set(drop.size());
    pass.each("add_branch", count, 0, a);
  }

  private void gelu(Pass pass, String kernel, long x, long y, long gradient, int rows) {
    long count = (long) rows * site.hidden();
    RealGeluArguments a = new RealGeluArguments();
    a.from.set(x);
    a.to.set(y);
    a.gradient.set(gradient);
    a.count.set(count);
    pass.each(kernel, count, 0, a);
  }

  @Override
  public long backward(Pass pass, long gy, int pictures) {
    int dim = site.dim();
    int rows = pictures * site.tokens();
    int hidden = site.hidden();
    if (!pass.holds(this)) {
      forward(pass, input, pictures);
    }
    long gBranch = drop2.gradient(pass, gy, pictures);
    long gHidden = pass.scratch.of("gHidden", (long) rows * hidden, 4);
    fc2.backward(pass, activations.of("act", 0, 4), gBranch, gHidden, rows);
    gelu(pass, "gelu_reals_backward", activations.of("fc1", 0, 4), 0, gHidden, rows);
    long gNorm = pass.scratch.of("gNorm", (long) rows * dim, 4);
    fc1.backward(pass, activations.of("norm2", 0, 4), gHidden, gNorm, rows);
    // From here on gy is the gradient by the middle of the block, then by its input.
    norm2.backward(pass, activations.of("residual1", 0, 4), gNorm, gy, dim, rows, 0, pass.added());

    gBranch = ordered(pass, drop1.gradient(pass, gy, pictures), "gOrdered", rows, false);
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
    qkv.backward(pass, activations.of("norm1", 0, 4), gQkv, gNorm, rows);
    gNorm = ordered(pass, gNorm, "gOrdered", rows, true);
    norm1.backward(pass, input, gNorm, gy, dim, rows, 0, pass.added());
    return gy;
  }

  @Override
  public void close() {
    super.close();
    activations.close();
    attention.close();
    norm1.close();
    norm2.close();
  }
}
