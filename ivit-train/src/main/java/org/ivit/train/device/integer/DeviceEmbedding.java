package org.ivit.train.device.integer;

import org.ivit.core.architecture.Node;
import org.ivit.core.architecture.Stem;
import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.cuda.Structure;
import org.ivit.core.graph.Embed;
import org.ivit.core.graph.LinearConstants;
import org.ivit.core.graph.NodeBuilder;
import org.ivit.core.scheme.NodeScales;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.device.memory.DeviceBuffers;
import org.ivit.train.device.pass.EmbeddingGradient;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.SeenRanges;
import org.ivit.train.parameter.PartSpec;

/** Patch embedding with leading tokens and positions on the device; its input are pixels. */
final class DeviceEmbedding extends QuantizedPart {
  private final Stem shape;
  private final PixelCodes pixels;
  private final DeviceLinear proj;
  private final EmbeddingGradient gradient;
  private final DeviceBuffers kept;
  private float inputScale;
  private LinearConstants product;
  private Embed embed;
  private int leading;
  private int position;
  private int extremes;

  private static final class EmbedArguments extends Structure {
    private final Field<Long> patches = address();
    private final Field<Long> leading = address();
    private final Field<Long> position = address();
    private final Field<Long> out = address();
    private final Field<Long> extremes = address();
    private final Field<Dyadic> patchMultiplier = dyadic();
    private final Field<Dyadic> positionMultiplier = dyadic();
    private final Field<Double> patchScale = float64();
    private final Field<Double> positionScale = float64();
    private final Field<Long> count = int64();
    private final Field<Integer> size = int32();
    private final Field<Integer> leadingSize = int32();
  }

  DeviceEmbedding(Pass pass, PartSpec spec, Stem shape, Scheme scheme, int from) {
    super(spec, scheme, from);
    this.shape = shape;
    pixels = new PixelCodes(shape);
    proj = new DeviceLinear(pass, layout, shape.projection(), OutlierChannels.NONE);
    gradient = new EmbeddingGradient(shape, layout);
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
    embed = nodes.embed(shape, product.outputScale(), scales.of(shape.output()));
  }

  @Override
  public void prepare(Pass pass, Reals weights) {
    pixels.prepare(pass, inputScale);
    proj.prepare(pass, product);
    leading = pass.constants.ints(embed.leading());
    position = pass.constants.shorts(embed.position());
    extremes = pass.extremes();
  }

  @Override
  public void load(Pass pass) {
    proj.load(pass);
  }

  @Override
  public long forward(Pass pass, long x, int pictures) {
    int rows = pictures * shape.patches();
    int dim = shape.dim();
    long codes = kept.of("patches", (long) rows * shape.patchInputs(), 1);
    pixels.forward(pass, x, pictures, codes);
    long projected = pass.scratch.of("branch", (long) rows * dim, 2);
    proj.forward16(pass, codes, rows, projected);
    long count = (long) pictures * shape.outputTokens() * dim;
    long out = kept.of("embed", count, 2);
    EmbedArguments a = new EmbedArguments();
    a.patches.set(projected);
    a.leading.set(pass.constants.at(leading));
    a.position.set(pass.constants.at(position));
    a.out.set(out);
    a.extremes.set(pass.observed(extremes));
    a.patchMultiplier.set(embed.sum().branch());
    a.positionMultiplier.set(embed.sum().identity());
    a.patchScale.set((double) product.outputScale());
    a.positionScale.set((double) embed.positionScale());
    a.count.set(count);
    a.size.set(shape.outputTokens() * dim);
    a.leadingSize.set(shape.leadingTokens() * dim);
    pass.each("embed_observed", count, 0, a);
    return out;
  }

  @Override
  public long backward(Pass pass, long gy, int pictures) {
    long gProjected = gradient.run(pass, gy, pictures);
    int rows = pictures * shape.patches();
    proj.backward(pass, kept.of("patches", 0, 1), gProjected, 0, rows);
    return 0;
  }

  @Override
  public void seen(Pass pass, SeenRanges seen) {
    pixels.seen(pass, seen);
    proj.seen(pass, OutlierChannels.NONE, seen);
    seen.include(
        shape.output().name(),
        Pass.unordered(pass.observed.longAt(extremes, 0)),
        Pass.unordered(pass.observed.longAt(extremes, 1)));
  }

  @Override
  public void close() {
    proj.close();
    kept.close();
  }
}
