package org.ivit.train.device.integer;

import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.graph.Gelu;
import org.ivit.core.graph.LayerNorm;
import org.ivit.core.graph.build.LinearConstants;
import org.ivit.core.graph.build.NodeBuilder;
import org.ivit.core.scheme.NodeScales;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.device.memory.DeviceBuffers;
import org.ivit.train.device.pass.MlpSite;
import org.ivit.train.device.pass.NodeLayout;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.DropPath;
import org.ivit.train.operator.SeenRanges;

/** Norm, MLP and residual addition on the device. */
final class DeviceMlp implements AutoCloseable {
  private final MlpSite site;
  private final Scheme scheme;
  private final DeviceBuffers activations;
  private final DeviceNorm norm;
  private final DeviceLinear fc1;
  private final DeviceGelu gelu;
  private final DeviceLinear fc2;
  private final DeviceResidual residual;
  private LayerNorm builtNorm;
  private LinearConstants builtFc1;
  private Gelu builtGelu;
  private LinearConstants builtFc2;
  private float inputScale;
  private float outputScale;
  private long input;

  /**
   * @param pass what parts share
   * @param layout of the part
   * @param site names and sizes
   * @param scheme forms, widths, outlier channels
   * @param drop of the branch
   * @param activations memory that lasts until the way back; of the part
   */
  DeviceMlp(
      Pass pass,
      NodeLayout layout,
      MlpSite site,
      Scheme scheme,
      DropPath drop,
      DeviceBuffers activations) {
    this.site = site;
    this.scheme = scheme;
    this.activations = activations;
    norm = new DeviceNorm(pass, layout, site.norm(), site.dim());
    fc1 = new DeviceLinear(pass, layout, site.fc1(), scheme.outliers(site.norm()));
    gelu = new DeviceGelu(site.activation());
    fc2 = new DeviceLinear(pass, layout, site.fc2(), scheme.outliers(site.activation().node()));
    residual = new DeviceResidual(site.residual().name(), drop, site.size());
  }

  void quantize(Pass pass, Reals weights, NodeScales scales) {
    fc1.quantize(pass, weights, scales);
    fc2.quantize(pass, weights, scales);
  }

  /**
   * Builds the nodes of this step.
   *
   * @param scale of the input codes
   */
  void build(Pass pass, NodeBuilder nodes, NodeScales scales, float scale) {
    inputScale = scale;
    outputScale = scales.of(site.residual());
    builtNorm = nodes.norm(site.norm(), site.epsilon(), scale, scales.of(site.norm()));
    builtFc1 = fc1.build(pass, nodes, scales);
    builtGelu =
        nodes.gelu(site.activation(), builtFc1.outputScale(), scales.of(site.activation().node()));
    builtFc2 = fc2.build(pass, nodes, scales);
  }

  void prepare(Pass pass, Reals weights) {
    norm.prepare(pass, builtNorm, weights, inputScale);
    fc1.prepare(pass, builtFc1);
    gelu.prepare(
        pass,
        builtGelu,
        scheme.gelu(),
        builtFc1.outputScale(),
        scheme.outliers(site.activation().input()));
    fc2.prepare(
        pass,
        builtFc2,
        scheme.gelu() == GeluForm.ASYMMETRIC
            ? DeviceLinear.geluOffsets(
                site.hidden(), builtGelu.outputScale(), builtGelu.outputOutliers())
            : null);
    residual.prepare(pass, builtFc2.outputScale(), inputScale, outputScale);
  }

  void load(Pass pass) {
    fc1.load(pass);
    fc2.load(pass);
  }

  void draw(Pass pass) {
    residual.draw(pass);
  }

  /**
   * @param x address of 16-bit codes, [pictures·tokens][dim]; they last until the way back
   * @param out receives as many
   */
  void forward(Pass pass, long x, int pictures, long out) {
    int dim = site.dim();
    int rows = pictures * site.tokens();
    input = x;
    long normed = activations.of("norm2", (long) rows * dim, 1);
    norm.forward8(pass, x, rows, normed, 0);
    long before = activations.of("fc1", (long) rows * site.hidden(), 1);
    fc1.forward8(pass, normed, rows, before);
    long active = activations.of("act", (long) rows * site.hidden(), 1);
    gelu.forward(pass, before, rows, active);
    long branch = pass.scratch.of("branch", (long) rows * dim, 2);
    fc2.forward16(pass, active, rows, branch);
    residual.forward(pass, branch, x, pictures, out);
  }

  /**
   * @param g address of the gradient by the output, then by the input
   */
  void backward(Pass pass, long g, int pictures) {
    int dim = site.dim();
    int rows = pictures * site.tokens();
    long gBranch = residual.branchGradient(pass, g, pictures);
    long gHidden = pass.scratch.of("gHidden", (long) rows * site.hidden(), 4);
    fc2.backward(pass, activations.of("act", 0, 1), gBranch, gHidden, rows);
    gelu.backward(pass, activations.of("fc1", 0, 1), gHidden, rows);
    long gNorm = pass.scratch.of("gNorm", (long) rows * dim, 4);
    fc1.backward(pass, activations.of("norm2", 0, 1), gHidden, gNorm, rows);
    norm.backward(pass, input, gNorm, g, dim, rows, 0, pass.added());
  }

  /** Takes what the step observed. */
  void seen(Pass pass, SeenRanges seen) {
    norm.seen(pass, seen);
    fc1.seen(pass, scheme.outliers(site.activation().input()), seen);
    gelu.seen(pass, seen);
    fc2.seen(pass, OutlierChannels.NONE, seen);
    residual.seen(pass, seen);
  }

  @Override
  public void close() {
    norm.close();
    fc1.close();
    fc2.close();
  }
}
