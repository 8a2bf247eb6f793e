package org.ivit.train.device.floating;

import java.util.Map;
import org.ivit.core.cuda.Arguments;
import org.ivit.core.graph.NodeNames;
import org.ivit.train.device.memory.DeviceBuffers;
import org.ivit.train.device.pass.DevicePart;
import org.ivit.train.device.pass.EmbeddingGradient;
import org.ivit.train.device.pass.NodeLayout;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.operator.floating.FloatEmbedding;
import org.ivit.train.parameter.EmbeddingShape;
import org.ivit.train.parameter.ParameterLayout;

/** Patch embedding with leading tokens and positions of the float network on the device. */
final class DeviceFloatEmbedding implements DevicePart {
  private final EmbeddingShape shape;
  private final NodeLayout layout;
  private final DeviceFloatLinear proj;
  private final EmbeddingGradient gradient;
  private final DeviceBuffers kept;

  DeviceFloatEmbedding(Pass pass, EmbeddingShape shape, int from) {
    this.shape = shape;
    layout = new NodeLayout("", new FloatEmbedding(shape).layout(), from, Map.of());
    proj = new DeviceFloatLinear(layout, NodeNames.PATCH_PROJECTION, shape.inputs(), shape.dim());
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
  public void draw(Pass pass) {
    // Nothing is random here.
  }

  @Override
  public long forward(Pass pass, long x, int pictures) {
    int rows = pictures * shape.patches();
    long patches = kept.of("patches", (long) rows * shape.inputs(), 4);
    UnfoldedPatches.forward(pass, shape, x, pictures, patches);
    long projected = pass.scratch.of("branch", (long) rows * shape.dim(), 4);
    proj.forward(pass, patches, rows, projected);
    int size = shape.tokens() * shape.dim();
    long count = (long) pictures * size;
    long out = kept.of("embed", count, 4);
    pass.each(
        "embed_reals",
        count,
        0,
        new Arguments()
            .address(projected)
            .address(pass.parameters + 4L * layout.at(shape.leading().get(0)))
            .address(pass.parameters + 4L * layout.at("pos_embed"))
            .address(out)
            .longs(count)
            .ints(size, shape.leading().size() * shape.dim()));
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
