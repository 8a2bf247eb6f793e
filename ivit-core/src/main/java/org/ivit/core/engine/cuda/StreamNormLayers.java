package org.ivit.core.engine.cuda;

import java.util.List;
import org.ivit.core.architecture.Norm;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.Launch;
import org.ivit.core.engine.cuda.layer.ChannelOrder;
import org.ivit.core.engine.cuda.layer.Constants;
import org.ivit.core.engine.cuda.layer.RowMap;
import org.ivit.core.engine.cuda.layer.StreamLayout;
import org.ivit.core.engine.cuda.row.NormLayer;
import org.ivit.core.graph.IntegerNorm;

/** The constants of a norm of the stream on the device, and its launch. */
final class StreamNormLayers implements PartLayers {
  private final Norm part;
  private final NormLayer norm;
  private final int spacing;

  /**
   * @param constants receives them
   * @param node its integers
   * @param spacing tokens from one picture to the next in the stream
   */
  StreamNormLayers(Constants constants, IntegerNorm node, int spacing) {
    this.part = node.part();
    this.spacing = spacing;
    ChannelOrder inOrder = new ChannelOrder(part.dim(), OutlierChannels.NONE);
    norm = new NormLayer(constants, node.norm(), inOrder, null);
  }

  @Override
  public void add(List<Launch> launches, Device device, PassBuffers buffers, int pictures) {
    int stride = StreamLayout.stride(part.dim());
    int rows = Math.multiplyExact(pictures, part.tokens());
    long stream = buffers.of(PassBuffers.Name.STREAM, (long) pictures * spacing * stride, 2);
    launches.add(norm.stream(rows, RowMap.leading(part.tokens(), spacing), stream, stride));
  }
}
