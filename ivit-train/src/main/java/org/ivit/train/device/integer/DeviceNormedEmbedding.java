package org.ivit.train.device.integer;

import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.graph.LayerNorm;
import org.ivit.core.graph.LinearConstants;
import org.ivit.core.graph.LinearScales;
import org.ivit.core.graph.NodeBuilder;
import org.ivit.core.graph.NodeNames;
import org.ivit.core.graph.Scheme;
import org.ivit.train.device.memory.DeviceBuffers;
import org.ivit.train.device.pass.NodeLayout;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.SeenRanges;
import org.ivit.train.operator.integer.QuantizedNormedEmbedding;
import org.ivit.train.parameter.EmbeddingShape;
import org.ivit.train.parameter.ParameterLayout;
import org.ivit.train.parameter.ParameterView;

/** A Swin's patch embedding on the device; its input are pixels. */
final class DeviceNormedEmbedding implements QuantizedPart {
  private final EmbeddingShape shape;
  private final Scheme scheme;
  private final NodeLayout layout;
  private final PixelCodes pixels;
  private final DeviceLinear proj;
  private final DeviceNorm norm;
  private final DeviceBuffers kept;
  private float inputScale;
  private LinearConstants product;
  private LayerNorm builtNorm;

  DeviceNormedEmbedding(Pass pass, EmbeddingShape shape, Scheme scheme, int from) {
    this.shape = shape;
    this.scheme = scheme;
    layout = NodeLayout.of("", new QuantizedNormedEmbedding(shape, scheme), from);
    pixels = new PixelCodes(shape);
    proj =
        new DeviceLinear(
            pass,
            layout,
            NodeNames.PATCH_PROJECTION,
            shape.inputs(),
            shape.dim(),
            OutlierChannels.NONE);
    norm = new DeviceNorm(pass, layout, "patch_embed.norm", shape.dim());
    kept = new DeviceBuffers(pass.device);
  }

  @Override
  public String prefix() {
    return layout.prefix();
  }

  @Override
  public ParameterLayout layout() {
    return layout.layout();
  }

  private Reals own(Reals weights) {
    return weights.part(layout.from(), layout().size());
  }

  @Override
  public void quantize(Pass pass, Reals weights) {
    inputScale = layout.scale(scheme, own(weights), NodeNames.INPUT);
    proj.quantize(pass, weights, inputScale);
  }

  @Override
  public void build(Pass pass, Reals weights) {
    Reals own = own(weights);
    NodeBuilder nodes = new NodeBuilder(ParameterView.ofVectors(layout(), "", own), scheme);
    product =
        nodes.constants(
            NodeNames.PATCH_PROJECTION,
            proj.channels(pass),
            new LinearScales(
                NodeNames.PATCH_PROJECTION,
                inputScale,
                OutlierChannels.NONE,
                layout.scale(scheme, own, NodeNames.PATCH_PROJECTION)));
    builtNorm = nodes.norm(NodeNames.PATCH_NORM, layout.scale(scheme, own, NodeNames.PATCH_NORM));
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
  public void draw(Pass pass) {
    // Nothing is random here.
  }

  @Override
  public long forward(Pass pass, long x, int pictures) {
    int rows = pictures * shape.patches();
    long count = (long) rows * shape.dim();
    long codes = kept.of("patches", (long) rows * shape.inputs(), 1);
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
