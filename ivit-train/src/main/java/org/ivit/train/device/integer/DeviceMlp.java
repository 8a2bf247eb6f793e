package org.ivit.train.device.integer;

import org.ivit.core.arithmetic.OutlierChannels;
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
  private final DeviceBuffers activations;
  private final DeviceNorm norm;
  private final DeviceHidden hidden;
  private final DeviceLinear fc2;
  private final DeviceResidual residual;
  private LayerNorm builtNorm;
  private LinearConstants builtFc2;
  private float inputScale;
  private float outputScale;
  private long input;
  private long active;

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
    this.activations = activations;
    norm = new DeviceNorm(pass, layout, site.norm(), site.dim());
    hidden =
        site.gated() == null
            ? new DevicePlainHidden(pass, layout, site, scheme, activations)
            : new DeviceGatedHidden(pass, layout, site.gated(), scheme, activations);
    fc2 = new DeviceLinear(pass, layout, site.fc2(), scheme.outliers(site.fc2().input()));
    residual = new DeviceResidual(site.residual().name(), drop, site.size());
  }

  void quantize(Pass pass, Reals weights, NodeScales scales) {
    hidden.quantize(pass, weights, scales);
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
    hidden.build(pass, nodes, scales);
    builtFc2 = fc2.build(pass, nodes, scales);
  }

  void prepare(Pass pass, Reals weights) {
    norm.prepare(pass, builtNorm, weights, inputScale);
    hidden.prepare(pass, weights);
    fc2.prepare(pass, builtFc2, hidden.offsets());
    residual.prepare(pass, builtFc2.outputScale(), inputScale, outputScale);
  }

  void load(Pass pass) {
    hidden.load(pass);
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
    active = hidden.forward(pass, normed, rows);
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
    fc2.backward(pass, active, gBranch, gHidden, rows);
    long gNorm = pass.scratch.of("gNorm", (long) rows * dim, 4);
    hidden.backward(pass, activations.of("norm2", 0, 1), gHidden, gNorm, rows);
    norm.backward(pass, input, gNorm, g, dim, rows, 0, pass.added());
  }

  /** Takes what the step observed. */
  void seen(Pass pass, SeenRanges seen) {
    norm.seen(pass, seen);
    hidden.seen(pass, seen);
    fc2.seen(pass, OutlierChannels.NONE, seen);
    residual.seen(pass, seen);
  }

  @Override
  public void close() {
    norm.close();
    hidden.close();
    fc2.close();
  }
}
