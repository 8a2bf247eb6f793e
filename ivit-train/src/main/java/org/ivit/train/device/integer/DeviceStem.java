package org.ivit.train.device.integer;

import org.ivit.core.architecture.Node;
import org.ivit.core.architecture.Stem;
import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.cuda.Divisor;
import org.ivit.core.cuda.Structure;
import org.ivit.core.graph.Embed;
import org.ivit.core.graph.LayerNorm;
import org.ivit.core.graph.build.LinearConstants;
import org.ivit.core.graph.build.NodeBuilder;
import org.ivit.core.scheme.NodeScales;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.device.pass.EmbeddingGradient;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.SeenRanges;
import org.ivit.train.parameter.PartSpec;

/**
 * Patch embedding on the device, with leading tokens and positions or with a norm; its input are
 * pixels.
 */
final class DeviceStem extends QuantizedPart {
  private final Stem shape;
  private final PixelCodes pixels;
  private final DeviceLinear proj;

  /** Null where there is no norm. */
  private final DeviceNorm norm;

  private float inputScale;
  private LinearConstants product;
  private LayerNorm builtNorm;
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
    private final Field<Long> pictures = int64();
    private final Field<Divisor> ofSize = divisor();
    private final Field<Integer> size = int32();
    private final Field<Integer> leadingSize = int32();
  }

  DeviceStem(Pass pass, PartSpec spec, Stem shape, Scheme scheme, int from) {
    super(pass, spec, scheme, from);
    this.shape = shape;
    pixels = new PixelCodes(shape);
    proj = new DeviceLinear(pass, layout, shape.projection(), OutlierChannels.NONE);
    norm = shape.normed() ? new DeviceNorm(pass, layout, shape.output(), shape.dim()) : null;
  }

  @Override
  public void quantize(Pass pass, Reals weights) {
    NodeScales scales = scales(weights);
    inputScale = scales.of(Node.INPUT);
    proj.quantize(pass, weights, scales);
  }

  @Override
  public void build(Pass pass, Reals weights) {
    NodeBuilder nodes = nodes(weights);
    NodeScales scales = scales(weights);
    product = proj.build(pass, nodes, scales);
    float outputScale = scales.of(shape.output());
    if (norm == null) {
      embed = nodes.embed(shape, product.outputScale(), outputScale);
    } else {
      builtNorm = nodes.norm(shape.output(), shape.epsilon(), product.outputScale(), outputScale);
    }
  }

  @Override
  public void prepare(Pass pass, Reals weights) {
    pixels.prepare(pass, inputScale);
    proj.prepare(pass, product);
    if (norm == null) {
      leading = pass.constants.ints(embed.leading());
      position = pass.constants.shorts(embed.position());
      extremes = pass.extremes();
    } else {
      norm.prepare(pass, builtNorm, weights, product.outputScale());
    }
  }

  @Override
  public void load(Pass pass) {
    proj.load(pass);
  }

  @Override
  public long forward(Pass pass, long x, int pictures) {
    int rows = pictures * shape.patches();
    long codes = kept.of("patches", (long) rows * shape.patchInputs(), 1);
    pixels.forward(pass, x, pictures, codes);
    long out = kept.of("embed", (long) pictures * shape.outputTokens() * shape.dim(), 2);
    if (norm == null) {
      embed(pass, codes, pictures, out);
    } else {
      long count = (long) rows * shape.dim();
      long narrow = pass.scratch.of("codes", count, 1);
      proj.forward8(pass, codes, rows, narrow);
      long projected = kept.of("projected", count, 2);
      widen8(pass, narrow, projected, count);
      norm.forward16(pass, projected, rows, out, 0);
    }
    return out;
  }

  private void embed(Pass pass, long codes, int pictures, long out) {
    int rows = pictures * shape.patches();
    int dim = shape.dim();
    long projected = pass.scratch.of("branch", (long) rows * dim, 2);
    proj.forward16(pass, codes, rows, projected);
    long count = (long) pictures * shape.outputTokens() * dim;
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
    a.pictures.set((long) pictures);
    a.ofSize.set(Divisor.of(shape.outputTokens() * dim));
    a.size.set(shape.outputTokens() * dim);
    a.leadingSize.set(shape.leadingTokens() * dim);
    pass.each("embed_observed", count, Pass.EXTREMES_BYTES, a);
  }

  @Override
  public long backward(Pass pass, long gy, int pictures) {
    int rows = pictures * shape.patches();
    long gProjected;
    if (norm == null) {
      gProjected = new EmbeddingGradient(shape, layout).run(pass, gy, pictures);
    } else {
      long count = (long) rows * shape.dim();
      gProjected = pass.scratch.of("gNorm", count, 4);
      pass.clear(gProjected, count);
      long projected = kept.of("projected", 0, 2);
      norm.backward(pass, projected, gy, gProjected, shape.dim(), rows, 0, pass.added());
    }
    proj.backward(pass, kept.of("patches", 0, 1), gProjected, 0, rows);
    return 0;
  }

  @Override
  public void seen(Pass pass, SeenRanges seen) {
    pixels.seen(pass, seen);
    proj.seen(pass, OutlierChannels.NONE, seen);
    if (norm == null) {
      pass.include(seen, shape.output().name(), extremes, 1);
    } else {
      norm.seen(pass, seen);
    }
  }

  @Override
  public void close() {
    super.close();
    proj.close();
    if (norm != null) {
      norm.close();
    }
  }
}
