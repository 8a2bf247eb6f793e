package org.ivit.train.device.integer;

import org.ivit.core.architecture.Node;
import org.ivit.core.architecture.Stem;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.graph.LayerNorm;
import org.ivit.core.graph.LinearConstants;
import org.ivit.core.graph.NodeBuilder;
import org.ivit.core.scheme.NodeScales;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.device.memory.DeviceBuffers;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.SeenRanges;
import org.ivit.train.parameter.PartSpec;

/** Patch embedding with a norm on the device; its input are pixels. */
final class DeviceNormedEmbedding extends QuantizedPart {
  private final Stem shape;
  private final PixelCodes pixels;
  private final DeviceLinear proj;
  private final DeviceNorm norm;
  private final DeviceBuffers kept;
  private float inputScale;
  private LinearConstants product;
  private LayerNorm builtNorm;

  DeviceNormedEmbedding(Pass pass, PartSpec spec, Stem shape, Scheme scheme, int from) {
    super(spec, scheme, from);
    this.shape = shape;
    pixels = new PixelCodes(shape);
    proj = new DeviceLinear(pass, layout, shape.projection(), OutlierChannels.NONE);
    norm = new DeviceNorm(pass, layout, shape.output(), shape.dim());
    kept = new DeviceBuffers(pass.device);
  }

  @Override
  public void quantize(Pass pass, Reals weights) {
    inputScale = scales(weights).of(Node.INPUT);
    proj.quantize(pass, weights, inputScale);
  }

  @Override
  public void build(Pass pass, Reals weights) {
    NodeBuilder nodes = nodes(weights);
    NodeScales scales = scales(weights);
    product = proj.build(pass, nodes, scales);
    builtNorm = nodes.norm(shape.output(), scales.of(shape.output()));
  }

  @Override
  public void prepare(Pass pass, Reals weights) {
    pixels.prepare(pass, inputScale);
    proj.prepare(pass, product);
    norm.prepare(pass, builtNorm, weights, product.outputScale());
  }

  @Override
  public void load(Pass pass) {
    proj.load(pass);
  }

  @Override
  public long forward(Pass pass, long x, int pictures) {
    int rows = pictures * shape.patches();
    long count = (long) rows * shape.dim();
    long codes = kept.of("patches", (long) rows * shape.patchInputs(), 1);
    pixels.forward(pass, x, pictures, codes);
    long narrow = pass.scratch.of("codes", count, 1);
    proj.forward8(pass, codes, rows, narrow);
    long projected = kept.of("projected", count, 2);
    WidenArguments a = new WidenArguments();
    a.codes.set(narrow);
    a.to.set(projected);
    a.count.set(count);
    pass.each("widen_codes", count, 0, a);
    long out = kept.of("embed", count, 2);
    norm.forward16(pass, projected, rows, out, 0);
    return out;
  }

  @Override
  public long backward(Pass pass, long gy, int pictures) {
    int rows = pictures * shape.patches();
    long count = (long) rows * shape.dim();
    long gProjected = pass.scratch.of("gNorm", count, 4);
    pass.clear(gProjected, count);
    norm.backward(
        pass, kept.of("projected", 0, 2), gy, gProjected, shape.dim(), rows, 0, pass.added());
    proj.backward(pass, kept.of("patches", 0, 1), gProjected, 0, rows);
    return 0;
  }

  @Override
  public void seen(Pass pass, SeenRanges seen) {
    pixels.seen(pass, seen);
    proj.seen(pass, OutlierChannels.NONE, seen);
    norm.seen(pass, seen);
  }

  @Override
  public void close() {
    proj.close();
    norm.close();
    kept.close();
  }
}
