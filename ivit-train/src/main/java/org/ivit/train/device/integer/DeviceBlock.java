package org.ivit.train.device.integer;

import java.util.List;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.LinearSpec;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.graph.Attention;
import org.ivit.core.graph.Gelu;
import org.ivit.core.graph.LayerNorm;
import org.ivit.core.graph.LinearConstants;
import org.ivit.core.graph.build.NodeBuilder;
import org.ivit.core.scheme.NodeScales;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.device.memory.DeviceBuffers;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.device.pass.RowGather;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.DropPath;
import org.ivit.train.operator.SeenRanges;
import org.ivit.train.parameter.PartSpec;

/** A transformer block on the device. */
final class DeviceBlock extends QuantizedPart {
  private final Block site;
  private final DeviceNorm norm1;
  private final DeviceLinear qkv;
  private final DeviceAttention attention;
  private final DeviceLinear proj;
  private final DeviceResidual residual1;
  private final DeviceNorm norm2;
  private final DeviceLinear fc1;
  private final DeviceGelu gelu;
  private final DeviceLinear fc2;
  private final DeviceResidual residual2;
  private final DeviceBuffers activations;
  private List<LinearConstants> builtLinears;
  private LayerNorm builtNorm1;
  private Attention builtAttention;
  private LayerNorm builtNorm2;
  private Gelu builtGelu;
  private float inputScale;
  private float middleScale;
  private float outputScale;
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
    int dim = site.dim();
    int size = site.tokens() * dim;
    norm1 = new DeviceNorm(pass, layout, site.norm1(), dim);
    qkv = linear(pass, site.qkvLinear());
    attention =
        new DeviceAttention(
            pass, site, site.windows() == null ? -1 : layout.at(spec.local(site.positionTable())));
    proj = linear(pass, site.projLinear());
    residual1 = new DeviceResidual(site.residual1().name(), DropPath.of(spec, 0), size);
    norm2 = new DeviceNorm(pass, layout, site.norm2(), dim);
    fc1 = linear(pass, site.fc1Linear());
    gelu = new DeviceGelu(site.hidden());
    fc2 = linear(pass, site.fc2Linear());
    residual2 = new DeviceResidual(site.residual2().name(), DropPath.of(spec, 1), size);
    activations = pass.recomputed == null ? new DeviceBuffers(pass.device) : pass.recomputed;
  }

  private DeviceLinear linear(Pass pass, LinearSpec of) {
    return new DeviceLinear(pass, layout, of, scheme.outliers(of.input()));
  }

  private List<DeviceLinear> linears() {
    return List.of(qkv, proj, fc1, fc2);
  }

  @Override
  public void quantize(Pass pass, Reals weights) {
    NodeScales scales = scales(weights);
    List<LinearSpec> specs = site.linears();
    for (int i = 0; i < specs.size(); i++) {
      linears().get(i).quantize(pass, weights, scales.of(specs.get(i).input()));
    }
  }

  @Override
  public void build(Pass pass, Reals weights) {
    NodeBuilder nodes = nodes(weights);
    NodeScales scales = scales(weights);
    inputScale = inputScale(weights);
    middleScale = scales.of(site.residual1());
    outputScale = scales.of(site.residual2());
    builtLinears = linears().stream().map(linear -> linear.build(pass, nodes, scales)).toList();
    builtNorm1 = nodes.norm(site.norm1(), site.epsilon(), inputScale, scales.of(site.norm1()));
    builtAttention = nodes.attention(site, scales, builtLinears.get(0).outputScale());
    builtNorm2 =
        nodes.norm(
            site.norm2(), site.epsilon(), scales.of(site.residual1()), scales.of(site.norm2()));
    builtGelu =
        nodes.gelu(
            site.activations().get(0), builtLinears.get(2).outputScale(), scales.of(site.act()));
  }

  @Override
  public void prepare(Pass pass, Reals weights) {
    qkv.prepare(pass, builtLinears.get(0));
    proj.prepare(pass, builtLinears.get(1));
    fc1.prepare(pass, builtLinears.get(2));
    fc2.prepare(
        pass,
        builtLinears.get(3),
        scheme.gelu() == GeluForm.ASYMMETRIC
            ? DeviceLinear.geluOffsets(
                site.hidden(), builtGelu.outputScale(), builtGelu.outputOutliers())
            : null);
    norm1.prepare(pass, builtNorm1, weights, inputScale);
    attention.prepare(pass, builtAttention, qkv.node().outputScale());
    residual1.prepare(pass, proj.node().outputScale(), inputScale, middleScale);
    norm2.prepare(pass, builtNorm2, weights, middleScale);
    gelu.prepare(
        pass, builtGelu, scheme.gelu(), fc1.node().outputScale(), scheme.outliers(site.fc1()));
    residual2.prepare(pass, fc2.node().outputScale(), middleScale, outputScale);
  }

  @Override
  public void load(Pass pass) {
    linears().forEach(linear -> linear.load(pass));
  }

  @Override
  public void draw(Pass pass) {
    residual1.draw(pass);
    residual2.draw(pass);
  }

  private RowGather gather(boolean back) {
    long order = kept.constants("order", site.windows()::order);
    return new RowGather(order, site.tokens(), site.dim(), back);
  }

  @Override
  public long forward(Pass pass, long x, int pictures) {
    int dim = site.dim();
    int rows = pictures * site.tokens();
    boolean inWindows = site.windows() != null;
    input = x;
    pass.hold(this);
    long normed1 = activations.of("norm1", (long) rows * dim, 1);
    if (inWindows) {
      long inPicture = pass.scratch.of("codes", (long) rows * dim, 1);
      norm1.forward8(pass, x, rows, inPicture, 0);
      gather(false).run(pass, 1, inPicture, normed1, rows);
    } else {
      norm1.forward8(pass, x, rows, normed1, 0);
    }
    long projections = activations.of("qkv", 3L * rows * dim, 1);
    qkv.forward8(pass, normed1, rows, projections);
    long context = activations.of("context", (long) rows * dim, 1);
    long probabilities = activations.of("probabilities", attention.probabilities(pictures), 2);
    attention.forward(pass, projections, probabilities, pictures, context);

    long branch = pass.scratch.of("branch", (long) rows * dim, 2);
    if (inWindows) {
      long ordered = pass.scratch.of("ordered branch", (long) rows * dim, 2);
      proj.forward16(pass, context, rows, ordered);
      gather(true).run(pass, 2, ordered, branch, rows);
    } else {
      proj.forward16(pass, context, rows, branch);
    }
    long middle = activations.of("residual1", (long) rows * dim, 2);
    residual1.forward(pass, branch, x, pictures, middle);

    long normed2 = activations.of("norm2", (long) rows * dim, 1);
    norm2.forward8(pass, middle, rows, normed2, 0);
    long before = activations.of("fc1", (long) rows * site.hidden(), 1);
    fc1.forward8(pass, normed2, rows, before);
    long active = activations.of("act", (long) rows * site.hidden(), 1);
    gelu.forward(pass, before, rows, active);
    fc2.forward16(pass, active, rows, branch);
    long sum = kept.of("residual2", (long) rows * dim, 2);
    residual2.forward(pass, branch, middle, pictures, sum);
    return sum;
  }

  @Override
  public long backward(Pass pass, long gy, int pictures) {
    int dim = site.dim();
    int rows = pictures * site.tokens();
    int hidden = site.hidden();
    if (!pass.holds(this)) {
      forward(pass, input, pictures);
    }
    long gBranch = residual2.branchGradient(pass, gy, pictures);
    long gHidden = pass.scratch.of("gHidden", (long) rows * hidden, 4);
    fc2.backward(pass, activations.of("act", 0, 1), gBranch, gHidden, rows);
    gelu.backward(pass, activations.of("fc1", 0, 1), gHidden, rows);
    long gNorm = pass.scratch.of("gNorm", (long) rows * dim, 4);
    fc1.backward(pass, activations.of("norm2", 0, 1), gHidden, gNorm, rows);
    // From here on gy is the gradient by the middle of the block, then by its input.
    norm2.backward(pass, activations.of("residual1", 0, 2), gNorm, gy, dim, rows, 0, pass.added());

    gBranch = residual1.branchGradient(pass, gy, pictures);
    if (site.windows() != null) {
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
    qkv.backward(pass, activations.of("norm1", 0, 1), gQkv, gNorm, rows);
    if (site.windows() != null) {
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
    attention.seen(pass, seen);
    proj.seen(pass, OutlierChannels.NONE, seen);
    residual1.seen(pass, seen);
    norm2.seen(pass, seen);
    fc1.seen(pass, scheme.outliers(site.fc1()), seen);
    gelu.seen(pass, seen);
    fc2.seen(pass, OutlierChannels.NONE, seen);
    residual2.seen(pass, seen);
  }

  @Override
  public void close() {
    super.close();
    activations.close();
    linears().forEach(DeviceLinear::close);
    attention.close();
    norm1.close();
    norm2.close();
  }
}
