package org.ivit.train.device.integer;

import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.LinearSpec;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.graph.Attention;
import org.ivit.core.graph.LayerNorm;
import org.ivit.core.graph.Rotation;
import org.ivit.core.graph.build.LinearConstants;
import org.ivit.core.graph.build.NodeBuilder;
import org.ivit.core.scheme.NodeScales;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.device.memory.DeviceBuffers;
import org.ivit.train.device.pass.MlpSite;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.device.pass.RowGather;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.DropPath;
import org.ivit.train.operator.SeenRanges;
import org.ivit.train.parameter.PartSpec;

/** A transformer block on the device. */
final class DeviceBlock extends QuantizedPart {
  private final Block site;

  /** Whether attention takes tokens in another order than the picture's. */
  private final boolean reordered;

  private final DeviceNorm norm1;
  private final DeviceLinear qkv;

  /** Rotary positions; null where there are none. */
  private final DeviceRotation rotation;

  private final DeviceAttention attention;
  private final DeviceLinear proj;
  private final DeviceResidual residual1;
  private final DeviceMlp mlp;
  private final DeviceBuffers activations;
  private LayerNorm builtNorm1;
  private LinearConstants builtQkv;
  private Rotation builtRotation;
  private Attention builtAttention;
  private LinearConstants builtProj;
  private float inputScale;
  private float middleScale;
  private long input;

  /**
   * @param pass what parts share
   * @param spec of the block
   * @param site name and sizes
   * @param scheme forms, widths, outlier channels
   * @param from index of the block's first parameter in the network
   */
  DeviceBlock(Pass pass, PartSpec spec, Block site, Scheme scheme, int from) {
    super(pass, spec, scheme, from);
    this.site = site;
    reordered = !site.inOrder();
    int dim = site.dim();
    int size = site.tokens() * dim;
    activations = pass.recomputed == null ? new DeviceBuffers(pass.device) : pass.recomputed;
    norm1 = new DeviceNorm(pass, layout, site.norm1(), dim);
    qkv = linear(pass, site.qkvLinear());
    rotation = site.rotary() == null ? null : new DeviceRotation(pass, site);
    attention =
        new DeviceAttention(
            pass, site, site.windows() == null ? -1 : layout.at(spec.local(site.positionTable())));
    proj = linear(pass, site.projLinear());
    residual1 = new DeviceResidual(site.residual1().name(), DropPath.of(spec, 0), size);
    mlp = new DeviceMlp(pass, layout, MlpSite.of(site), scheme, DropPath.of(spec, 1), activations);
  }

  private DeviceLinear linear(Pass pass, LinearSpec of) {
    return new DeviceLinear(pass, layout, of, scheme.outliers(of.input()));
  }

  @Override
  public void quantize(Pass pass, Reals weights) {
    NodeScales scales = scales(weights);
    qkv.quantize(pass, weights, scales);
    proj.quantize(pass, weights, scales);
    mlp.quantize(pass, weights, scales);
  }

  @Override
  public void build(Pass pass, Reals weights) {
    NodeBuilder nodes = nodes(weights);
    NodeScales scales = scales(weights);
    inputScale = inputScale(weights);
    middleScale = scales.of(site.residual1());
    builtNorm1 = nodes.norm(site.norm1(), site.epsilon(), inputScale, scales.of(site.norm1()));
    builtQkv = qkv.build(pass, nodes, scales);
    if (rotation != null) {
      builtRotation = Rotation.of(site, builtQkv.outputScale(), scales.of(site.rope()));
    }
    builtAttention = nodes.attention(site, scales, attendedScale());
    builtProj = proj.build(pass, nodes, scales);
    mlp.build(pass, nodes, scales, middleScale);
  }

  @Override
  public void prepare(Pass pass, Reals weights) {
    norm1.prepare(pass, builtNorm1, weights, inputScale);
    qkv.prepare(pass, builtQkv);
    if (rotation != null) {
      rotation.prepare(pass, builtRotation, builtQkv.outputScale());
    }
    attention.prepare(pass, builtAttention, attendedScale());
    proj.prepare(pass, builtProj);
    residual1.prepare(pass, builtProj.outputScale(), inputScale, middleScale);
    mlp.prepare(pass, weights);
  }

  private float attendedScale() {
    return rotation == null ? builtQkv.outputScale() : builtRotation.outputScale();
  }

  @Override
  public void load(Pass pass) {
    qkv.load(pass);
    proj.load(pass);
    mlp.load(pass);
  }

  @Override
  public void draw(Pass pass) {
    residual1.draw(pass);
    mlp.draw(pass);
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
    long normed1 = activations.of("norm1", (long) rows * dim, 1);
    if (reordered) {
      long inPicture = pass.scratch.of("codes", (long) rows * dim, 1);
      norm1.forward8(pass, x, rows, inPicture, 0);
      gather(false).run(pass, 1, inPicture, normed1, rows);
    } else {
      norm1.forward8(pass, x, rows, normed1, 0);
    }
    long projections = activations.of("qkv", 3L * rows * dim, 1);
    if (rotation == null) {
      qkv.forward8(pass, normed1, rows, projections);
    } else {
      long unrotated = pass.scratch.of("unrotated", 3L * rows * dim, 2);
      qkv.forward16(pass, normed1, rows, unrotated);
      rotation.forward(pass, unrotated, rows, projections);
    }
    long context = activations.of("context", (long) rows * dim, 1);
    long probabilities = activations.of("probabilities", attention.probabilities(pictures), 2);
    attention.forward(pass, projections, probabilities, pictures, context);

    long branch = pass.scratch.of("branch", (long) rows * dim, 2);
    if (reordered) {
      long ordered = pass.scratch.of("ordered branch", (long) rows * dim, 2);
      proj.forward16(pass, context, rows, ordered);
      gather(true).run(pass, 2, ordered, branch, rows);
    } else {
      proj.forward16(pass, context, rows, branch);
    }
    long middle = activations.of("residual1", (long) rows * dim, 2);
    residual1.forward(pass, branch, x, pictures, middle);
    long sum = kept.of("residual2", (long) rows * dim, 2);
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
    long gBranch = residual1.branchGradient(pass, gy, pictures);
    if (reordered) {
      long ordered = pass.scratch.of("gOrdered", (long) rows * dim, 4);
      gather(false).run(pass, 4, gBranch, ordered, rows);
      gBranch = ordered;
    }
    long gContext = pass.scratch.of("gContext", (long) rows * dim, 4);
    proj.backward(pass, activations.of("context", 0, 1), gBranch, gContext, rows);
    long gQkv = pass.scratch.of("gQkv", 3L * rows * dim, 4);
    attention.backward(
        pass,
        activations.of("qkv", 0, 1),
        activations.of("probabilities", 0, 2),
        gContext,
        gQkv,
        pictures);
    if (rotation != null) {
      rotation.backward(pass, gQkv, rows);
    }
    long gNorm = pass.scratch.of("gNorm", (long) rows * dim, 4);
    qkv.backward(pass, activations.of("norm1", 0, 1), gQkv, gNorm, rows);
    if (reordered) {
      long inPicture = pass.scratch.of("gOrdered", (long) rows * dim, 4);
      gather(true).run(pass, 4, gNorm, inPicture, rows);
      gNorm = inPicture;
    }
    norm1.backward(pass, input, gNorm, gy, dim, rows, 0, pass.added());
    return gy;
  }

  @Override
  public void seen(Pass pass, SeenRanges seen) {
    norm1.seen(pass, seen);
    qkv.seen(pass, OutlierChannels.NONE, seen);
    if (rotation != null) {
      rotation.seen(pass, seen);
    }
    attention.seen(pass, seen);
    proj.seen(pass, OutlierChannels.NONE, seen);
    residual1.seen(pass, seen);
    mlp.seen(pass, seen);
  }

  @Override
  public void close() {
    super.close();
    activations.close();
    norm1.close();
    qkv.close();
    if (rotation != null) {
      rotation.close();
    }
    attention.close();
    proj.close();
    mlp.close();
  }
}
