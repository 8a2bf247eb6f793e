package org.ivit.train.device.floating;

import org.ivit.core.architecture.Node;
import org.ivit.core.cuda.Structure;
import org.ivit.train.device.memory.DeviceBuffers;
import org.ivit.train.device.pass.NodeLayout;
import org.ivit.train.device.pass.Partials;
import org.ivit.train.device.pass.Pass;

/** A layer norm of the float network on the device. */
final class DeviceFloatNorm implements AutoCloseable {
  private static final int THREADS = 256;
  private static final int KEPT_BYTES = 16;

  private final int channels;
  private final double epsilon;
  private final int gammaAt;
  private final int betaAt;
  private final DeviceBuffers memory;

  private static final class RealNormArguments extends Structure {
    private final Field<Long> from = address();
    private final Field<Long> to = address();
    private final Field<Long> kept = address();
    private final Field<Long> gamma = address();
    private final Field<Long> beta = address();
    private final Field<Long> gradient = address();
    private final Field<Long> gradientTo = address();
    private final Field<Long> gammaPartial = address();
    private final Field<Long> betaPartial = address();
    private final Field<Double> epsilon = float64();
    private final Field<Long> rows = int64();
    private final Field<Long> fromStride = int64();
    private final Field<Integer> channels = int32();
    private final Field<Integer> rowsAPart = int32();
  }

  /**
   * @param pass what parts share
   * @param layout of the part
   * @param norm names its parameters too
   * @param epsilon added to the variance
   */
  DeviceFloatNorm(Pass pass, NodeLayout layout, Node norm, int channels, double epsilon) {
    this.channels = channels;
    this.epsilon = epsilon;
    gammaAt = layout.at(layout.spec().local(norm + ".weight"));
    betaAt = layout.at(layout.spec().local(norm + ".bias"));
    memory = new DeviceBuffers(pass.device);
  }

  private RealNormArguments arguments(
      Pass pass,
      long x,
      long y,
      long gy,
      long gx,
      Partials partials,
      int rows,
      long stride,
      int use) {
    long gamma = partials == null ? 0 : partials.address();
    RealNormArguments a = new RealNormArguments();
    a.from.set(x);
    a.to.set(y);
    a.kept.set(memory.of("kept" + use, rows, KEPT_BYTES));
    a.gamma.set(pass.parameters + 4L * gammaAt);
    a.beta.set(pass.parameters + 4L * betaAt);
    a.gradient.set(gy);
    a.gradientTo.set(gx);
    a.gammaPartial.set(gamma);
    a.betaPartial.set(partials == null ? 0 : gamma + 8L * partials.parts() * channels);
    a.epsilon.set(epsilon);
    a.rows.set((long) rows);
    a.fromStride.set(stride);
    a.channels.set(channels);
    a.rowsAPart.set(partials == null ? 0 : partials.rows());
    return a;
  }

  /**
   * @param x address of the first row
   * @param stride numbers from row to row of x
   * @param y receives [rows][channels]
   * @param use which of several uses in a pass this is, from 0
   */
  void forward(Pass pass, long x, int rows, long stride, long y, int use) {
    pass.warps("norm_reals", rows, arguments(pass, x, y, 0, 0, null, rows, stride, use));
  }

  /**
   * Adds the gradient by x to what {@code gx} holds.
   *
   * @param x of the forward pass
   * @param gy gradient by the output, [rows][channels]
   * @param gx address of the first row's gradient, as far apart as rows of x
   * @param add whether the parameters' gradients are added to what is there
   */
  void backward(Pass pass, long x, long gy, long gx, long stride, int rows, int use, boolean add) {
    Partials partials = pass.partials(rows, 2 * channels);
    RealNormArguments arguments = arguments(pass, x, 0, gy, gx, partials, rows, stride, use);
    pass.warps("norm_reals_backward", rows, arguments);
    int across = (channels + THREADS - 1) / THREADS;
    pass.grid("norm_reals_parameters", across, partials.parts(), 0, arguments);
    partials.sum(pass, 0, channels, channels, pass.gradients + 4L * gammaAt, 0, add);
    new Partials(
            partials.address() + 8L * partials.parts() * channels,
            partials.parts(),
            partials.rows())
        .sum(pass, 0, channels, channels, pass.gradients + 4L * betaAt, 0, add);
  }

  @Override
  public void close() {
    memory.close();
  }
}
