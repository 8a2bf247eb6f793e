package org.ivit.core.engine.cuda;

import java.util.List;
import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.Launch;
import org.ivit.core.engine.cuda.layer.ChannelOrder;
import org.ivit.core.engine.cuda.layer.Constants;
import org.ivit.core.engine.cuda.layer.GatedLayer;
import org.ivit.core.engine.cuda.layer.LinearLayer;
import org.ivit.core.engine.cuda.layer.RowMap;
import org.ivit.core.engine.cuda.layer.StreamLayout;
import org.ivit.core.engine.cuda.row.NormLayer;
import org.ivit.core.graph.IntegerBlock;
import org.ivit.core.graph.Linear;

/** Two products of which one gates the other, and the norm of what comes of it, if any. */
final class GatedHiddenLayers implements HiddenLayers {
  private final GatedLayer gated;
  private final NormLayer norm;
  private final int hidden;
  private final ChannelOrder order;

  /**
   * @param constants receives them
   * @param block whose MLP is gated
   * @param order of the codes
   */
  GatedHiddenLayers(Constants constants, IntegerBlock block, ChannelOrder order) {
    this.hidden = block.part().hidden();
    this.order = order;
    Linear gate = block.fc1();
    boolean normed = block.mlpNorm() != null;
    gated =
        new GatedLayer(
            constants,
            gate,
            block.value(),
            block.gating(),
            new ChannelOrder(gate.inputs(), gate.inputOutliers()),
            normed ? LinearLayer.inOrder(hidden) : order.source());
    norm = normed ? new NormLayer(constants, block.mlpNorm(), order, null) : null;
  }

  @Override
  public long add(
      List<Launch> launches, Device device, PassBuffers buffers, int rows, long normed) {
    long codes = buffers.of(PassBuffers.Name.HIDDEN, (long) rows * order.length(), 1);
    if (norm == null) {
      launches.add(gated.codes(device, rows, normed, codes, order.length()));
      return codes;
    }
    int stride = StreamLayout.stride(hidden);
    long values = buffers.of(PassBuffers.Name.GATED, (long) rows * stride, 2);
    launches.add(gated.stream(device, rows, normed, values, stride));
    launches.add(norm.codes(rows, RowMap.same(1), values, stride, codes));
    return codes;
  }
}
