package org.ivit.train.device;

import java.util.ArrayList;
import java.util.List;
import org.ivit.core.architecture.BlockSite;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.graph.Block;
import org.ivit.core.graph.Linear;
import org.ivit.core.graph.LinearScales;
import org.ivit.core.graph.NodeBuilder;
import org.ivit.core.graph.NodeNames;
import org.ivit.core.graph.NodeScales;
import org.ivit.core.graph.Scheme;
import org.ivit.train.operator.DropPath;
import org.ivit.train.operator.ParameterLayout;
import org.ivit.train.operator.ParameterView;
import org.ivit.train.operator.QuantizedBlock;
import org.ivit.train.operator.Reals;
import org.ivit.train.operator.SeenRanges;

/** A transformer block on the device. */
final class DeviceBlock implements DevicePart {
  private final BlockSite site;
  private final String inputNode;
  private final Scheme scheme;
  private final NodeLayout layout;
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
  private final DeviceBuffers kept;
  private Block block;
  private float inputScale;
  private int order;
  private long input;

  /**
   * @param pass what parts share
   * @param site name and sizes
   * @param inputNode full name of the node that feeds the block
   * @param scheme forms, widths, outlier channels
   * @param drop1 stochastic depth of the attention branch
   * @param drop2 stochastic depth of the MLP branch
   * @param from index of the block's first parameter in the network
   */
  DeviceBlock(
      Pass pass,
      BlockSite site,
      String inputNode,
      Scheme scheme,
      DropPath drop1,
      DropPath drop2,
      int from) {
    this.site = site;
    this.inputNode = inputNode;
    this.scheme = scheme;
    String prefix = site.node("");
    layout = NodeLayout.of(prefix, new QuantizedBlock(site, inputNode, scheme, drop1, drop2), from);
    int dim = site.dim();
    int size = site.tokens() * dim;
    norm1 = new DeviceNorm(pass, layout, "norm1", dim);
    qkv = new DeviceLinear(pass, layout, "attn.qkv", dim, 3 * dim);
    attention =
        new DeviceAttention(
            pass, site, site.windows() == null ? -1 : layout.at(NodeNames.POSITION_TABLE));
    proj = new DeviceLinear(pass, layout, "attn.proj", dim, dim);
    residual1 = new DeviceResidual(prefix + "residual1", drop1, size);
    norm2 = new DeviceNorm(pass, layout, "norm2", dim);
    fc1 = new DeviceLinear(pass, layout, "mlp.fc1", dim, site.hidden());
    gelu = new DeviceGelu(site.hidden());
    fc2 = new DeviceLinear(pass, layout, "mlp.fc2", site.hidden(), dim);
    residual2 = new DeviceResidual(prefix + "residual2", drop2, size);
    kept = new DeviceBuffers(pass.device);
  }

  @Override
  public ParameterLayout layout() {
    return layout.layout();
  }

  private OutlierChannels outliers(String node) {
    return scheme.outliers(site.node(node));
  }

  @Override
  public void build(Reals weights) {
    Reals own = weights.part(layout.from(), layout().size());
    NodeBuilder nodes = new NodeBuilder(ParameterView.of(layout(), layout.prefix(), own), scheme);
    NodeScales scales = node -> layout.scale(scheme, own, node);
    inputScale = scales.of(inputNode);
    List<DeviceLinear> linears = List.of(qkv, proj, fc1, fc2);
    List<Linear> built = new ArrayList<>();
    List<LinearScales> surroundings = nodes.linears(site, scales);
    for (int i = 0; i < linears.size(); i++) {
      LinearScales around = surroundings.get(i);
      built.add(nodes.linear(around, linears.get(i).quantize(nodes, around.inputScale())));
    }
    block = nodes.block(site, scales, inputScale, built);
  }

  @Override
  public void prepare(Pass pass, Reals weights) {
    qkv.prepare(pass, block.qkv());
    proj.prepare(pass, block.proj());
    fc1.prepare(pass, block.fc1());
    fc2.prepare(
        pass,
        block.fc2(),
        scheme.gelu() == GeluForm.ASYMMETRIC
            ? DeviceLinear.geluOffsets(
                site.hidden(), block.gelu().outputScale(), block.gelu().outputOutliers())
            : null);
    norm1.prepare(pass, block.norm1(), weights, inputScale);
    attention.prepare(pass, block.attention(), block.qkv().outputScale());
    float middleScale = block.residual1().outputScale();
    residual1.prepare(pass, block.proj().outputScale(), inputScale, middleScale);
    norm2.prepare(pass, block.norm2(), weights, middleScale);
    gelu.prepare(pass, block.gelu(), scheme.gelu(), block.fc1().outputScale(), outliers("mlp.fc1"));
    residual2.prepare(
        pass, block.fc2().outputScale(), middleScale, block.residual2().outputScale());
    if (site.windows() != null) {
      order = pass.constants.ints(site.windows().order());
    }
  }

  @Override
  public void load(Pass pass) {
    qkv.load(pass);
    proj.load(pass);
    fc1.load(pass);
    fc2.load(pass);
  }

  @Override
  public void draw(Pass pass) {
    residual1.draw(pass);
    residual2.draw(pass);
  }

  private RowGather gather(Pass pass, boolean back) {
    return new RowGather(pass.constants.at(order), site.tokens(), site.dim(), back);
  }

  @Override
  public long forward(Pass pass, long x, int pictures) {
    int dim = site.dim();
    int rows = pictures * site.tokens();
    boolean inWindows = site.windows() != null;
    input = x;
    long normed1 = kept.of("norm1", (long) rows * dim, 1);
    if (inWindows) {
      long inPicture = pass.scratch.of("codes", (long) rows * dim, 1);
      norm1.forward8(pass, x, rows, inPicture, 0);
      gather(pass, false).run(pass, 1, inPicture, normed1, rows);
    } else {
      norm1.forward8(pass, x, rows, normed1, 0);
    }
    long projections = kept.of("qkv", 3L * rows * dim, 1);
    qkv.forward8(pass, normed1, rows, projections);
    long context = kept.of("context", (long) rows * dim, 1);
    long probabilities = kept.of("probabilities", attention.probabilities(pictures), 2);
    attention.forward(pass, projections, probabilities, pictures, context);

    long branch = pass.scratch.of("branch", (long) rows * dim, 2);
    if (inWindows) {
      long ordered = pass.scratch.of("ordered branch", (long) rows * dim, 2);
      proj.forward16(pass, context, rows, ordered);
      gather(pass, true).run(pass, 2, ordered, branch, rows);
    } else {
      proj.forward16(pass, context, rows, branch);
    }
    long middle = kept.of("residual1", (long) rows * dim, 2);
    residual1.forward(pass, branch, x, pictures, middle);

    long normed2 = kept.of("norm2", (long) rows * dim, 1);
    norm2.forward8(pass, middle, rows, normed2, 0);
    long before = kept.of("fc1", (long) rows * site.hidden(), 1);
    fc1.forward8(pass, normed2, rows, before);
    long active = kept.of("act", (long) rows * site.hidden(), 1);
    gelu.forward(pass, before, rows, active);
    fc2.forward16(pass, active, rows, branch);
    long output = kept.of("residual2", (long) rows * dim, 2);
    residual2.forward(pass, branch, middle, pictures, output);
    return output;
  }

  @Override
  public long backward(Pass pass, long gy, int pictures) {
    int dim = site.dim();
    int rows = pictures * site.tokens();
    int hidden = site.hidden();
    long gBranch = residual2.branchGradient(pass, gy, pictures);
    long gHidden = pass.scratch.of("gHidden", (long) rows * hidden, 4);
    fc2.backward(pass, kept.of("act", 0, 1), gBranch, gHidden, rows);
    gelu.backward(pass, kept.of("fc1", 0, 1), gHidden, rows);
    long gNorm = pass.scratch.of("gNorm", (long) rows * dim, 4);
    fc1.backward(pass, kept.of("norm2", 0, 1), gHidden, gNorm, rows);
    // From here on gy is the gradient by the middle of the block, then by its input.
    norm2.backward(pass, kept.of("residual1", 0, 2), gNorm, gy, dim, rows, 0, pass.added());

    gBranch = residual1.branchGradient(pass, gy, pictures);
    if (site.windows() != null) {
      long ordered = pass.scratch.of("gOrdered", (long) rows * dim, 4);
      gather(pass, false).run(pass, 4, gBranch, ordered, rows);
      gBranch = ordered;
    }
    long gContext = pass.scratch.of("gContext", (long) rows * dim, 4);
    proj.backward(pass, kept.of("context", 0, 1), gBranch, gContext, rows);
    long gQkv = pass.scratch.of("gQkv", 3L * rows * dim, 4);
    attention.backward(
        pass, kept.of("qkv", 0, 1), kept.of("probabilities", 0, 2), gContext, gQkv, pictures);
    qkv.backward(pass, kept.of("norm1", 0, 1), gQkv, gNorm, rows);
    if (site.windows() != null) {
      long inPicture = pass.scratch.of("gOrdered", (long) rows * dim, 4);
      gather(pass, true).run(pass, 4, gNorm, inPicture, rows);
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
    fc1.seen(pass, outliers("mlp.fc1"), seen);
    gelu.seen(pass, seen);
    fc2.seen(pass, OutlierChannels.NONE, seen);
    residual2.seen(pass, seen);
  }

  @Override
  public void close() {
    kept.close();
    for (DeviceLinear linear : List.of(qkv, proj, fc1, fc2)) {
      linear.close();
    }
    norm1.close();
    norm2.close();
  }
}
