package org.ivit.train.device.floating;

import org.ivit.core.architecture.Stem;
import org.ivit.train.device.memory.DeviceBuffers;
import org.ivit.train.device.pass.DevicePart;
import org.ivit.train.device.pass.NodeLayout;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.parameter.ParameterLayout;
import org.ivit.train.parameter.PartSpec;

/** Patch embedding with a norm of the float network on the device. */
final class DeviceFloatNormedEmbedding implements DevicePart {
  private final Stem shape;
  private final NodeLayout layout;
  private final DeviceFloatLinear proj;
  private final DeviceFloatNorm norm;
  private final DeviceBuffers kept;

  DeviceFloatNormedEmbedding(Pass pass, PartSpec spec, Stem shape, int from) {
    this.shape = shape;
    layout = NodeLayout.floating(spec, from);
    proj = new DeviceFloatLinear(layout, Stem.PROJECTION, shape.patchInputs(), shape.dim());
    norm = new DeviceFloatNorm(pass, layout, shape.output().name(), shape.dim(), shape.epsilon());
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
    int dim = shape.dim();
    long patches = kept.of("patches", (long) rows * shape.patchInputs(), 4);
    UnfoldedPatches.forward(pass, shape, x, pictures, patches);
    long projected = kept.of("projected", (long) rows * dim, 4);
    proj.forward(pass, patches, rows, projected);
    long out = kept.of("embed", (long) rows * dim, 4);
    norm.forward(pass, projected, rows, dim, out, 0);
    return out;
  }

  @Override
  public long backward(Pass pass, long gy, int pictures) {
    int rows = pictures * shape.patches();
    int dim = shape.dim();
    long count = (long) rows * dim;
    long gProjected = pass.scratch.of("gNorm", count, 4);
    pass.clear(gProjected, count);
    norm.backward(pass, kept.of("projected", 0, 4), gy, gProjected, dim, rows, 0, pass.added());
    proj.backward(pass, kept.of("patches", 0, 4), gProjected, 0, rows);
    return 0;
  }

  @Override
  public void close() {
    norm.close();
    kept.close();
  }
}
