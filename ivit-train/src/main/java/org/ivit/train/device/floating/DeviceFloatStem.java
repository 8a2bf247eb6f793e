package org.ivit.train.device.floating;

import org.ivit.core.architecture.Stem;
import org.ivit.core.cuda.Divisor;
import org.ivit.core.cuda.Structure;
import org.ivit.train.device.pass.EmbeddingGradient;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.parameter.PartSpec;

/**
 * Patch embedding of the float network on the device, with leading tokens and positions or with a
 * norm.
 */
final class DeviceFloatStem extends FloatPart {
  private final Stem shape;
  private final DeviceFloatLinear proj;

  /** Null where there is no norm. */
  private final DeviceFloatNorm norm;

  private static final class RealEmbedArguments extends Structure {
    private final Field<Long> patches = address();
    private final Field<Long> leading = address();
    private final Field<Long> positions = address();
    private final Field<Long> to = address();
    private final Field<Long> pictures = int64();
    private final Field<Divisor> ofSize = divisor();
    private final Field<Integer> size = int32();
    private final Field<Integer> first = int32();
    private final Field<Integer> without = int32();
    private final Field<Integer> unused = unused();
  }

  DeviceFloatStem(Pass pass, PartSpec spec, Stem shape, int from) {
    super(pass, spec, from);
    this.shape = shape;
    proj = new DeviceFloatLinear(layout, shape.projection());
    norm =
        shape.normed()
            ? new DeviceFloatNorm(pass, layout, shape.output(), shape.dim(), shape.epsilon())
            : null;
  }

  @Override
  public long forward(Pass pass, long x, int pictures) {
    int rows = pictures * shape.patches();
    int dim = shape.dim();
    long patches = kept.of("patches", (long) rows * shape.patchInputs(), 4);
    UnfoldedPatches.forward(pass, shape, x, pictures, patches);
    long projected = (norm == null ? pass.scratch : kept).of("branch", (long) rows * dim, 4);
    proj.forward(pass, patches, rows, projected);
    long out = kept.of("embed", (long) pictures * shape.outputTokens() * dim, 4);
    if (norm == null) {
      embed(pass, projected, pictures, out);
    } else {
      norm.forward(pass, projected, rows, dim, out, 0);
    }
    return out;
  }

  private void embed(Pass pass, long projected, int pictures, long out) {
    int size = shape.outputTokens() * shape.dim();
    long count = (long) pictures * size;
    RealEmbedArguments a = new RealEmbedArguments();
    a.patches.set(projected);
    // Leading tokens, if there are any, are the first parameters.
    a.leading.set(pass.parameters + 4L * layout.from());
    int positioned = shape.positionRows() * shape.dim();
    a.positions.set(positioned > 0 ? pass.parameters + 4L * layout.at(Stem.POSITION) : 0);
    a.to.set(out);
    a.pictures.set((long) pictures);
    a.ofSize.set(Divisor.of(size));
    a.size.set(size);
    a.first.set(shape.leadingTokens() * shape.dim());
    a.without.set(size - positioned);
    pass.each("embed_reals", count, 0, a);
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
      long projected = kept.of("branch", 0, 4);
      norm.backward(pass, projected, gy, gProjected, shape.dim(), rows, 0, pass.added());
    }
    proj.backward(pass, kept.of("patches", 0, 4), gProjected, 0, rows);
    return 0;
  }

  @Override
  public void close() {
    super.close();
    if (norm != null) {
      norm.close();
    }
  }
}
