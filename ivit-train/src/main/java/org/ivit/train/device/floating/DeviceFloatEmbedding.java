package org.ivit.train.device.floating;

import org.ivit.core.architecture.Stem;
import org.ivit.core.cuda.Structure;
import org.ivit.train.device.memory.DeviceBuffers;
import org.ivit.train.device.pass.DevicePart;
import org.ivit.train.device.pass.EmbeddingGradient;
import org.ivit.train.device.pass.NodeLayout;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.parameter.ParameterLayout;
import org.ivit.train.parameter.PartSpec;

/** Patch embedding with leading tokens and positions of the float network on the device. */
final class DeviceFloatEmbedding implements DevicePart {
  private final Stem shape;
  private final NodeLayout layout;
  private final DeviceFloatLinear proj;
  private final EmbeddingGradient gradient;
  private final DeviceBuffers kept;

  private static final class RealEmbedArguments extends Structure {
    private final Field<Long> patches = address();
    private final Field<Long> leading = address();
    private final Field<Long> positions = address();
    private final Field<Long> to = address();
    private final Field<Long> count = int64();
    private final Field<Integer> size = int32();
    private final Field<Integer> first = int32();
  }

  DeviceFloatEmbedding(Pass pass, PartSpec spec, Stem shape, int from) {
    this.shape = shape;
    layout = NodeLayout.floating(spec, from);
    proj = new DeviceFloatLinear(layout, Stem.PROJECTION, shape.patchInputs(), shape.dim());
    gradient = new EmbeddingGradient(shape, layout);
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

  @Override
  public long forward(Pass pass, long x, int pictures) {
    int rows = pictures * shape.patches();
    long patches = kept.of("patches", (long) rows * shape.patchInputs(), 4);
    UnfoldedPatches.forward(pass, shape, x, pictures, patches);
    long projected = pass.scratch.of("branch", (long) rows * shape.dim(), 4);
    proj.forward(pass, patches, rows, projected);
    int size = shape.outputTokens() * shape.dim();
    long count = (long) pictures * size;
    long out = kept.of("embed", count, 4);
    RealEmbedArguments a = new RealEmbedArguments();
    a.patches.set(projected);
    a.leading.set(pass.parameters + 4L * layout.at(shape.leading().get(0).name()));
    a.positions.set(pass.parameters + 4L * layout.at("pos_embed"));
    a.to.set(out);
    a.count.set(count);
    a.size.set(size);
    a.first.set(shape.leadingTokens() * shape.dim());
    pass.each("embed_reals", count, 0, a);
    return out;
  }

  @Override
  public long backward(Pass pass, long gy, int pictures) {
    long gProjected = gradient.run(pass, gy, pictures);
    int rows = pictures * shape.patches();
    proj.backward(pass, kept.of("patches", 0, 4), gProjected, 0, rows);
    return 0;
  }

  @Override
  public void close() {
    kept.close();
  }
}
