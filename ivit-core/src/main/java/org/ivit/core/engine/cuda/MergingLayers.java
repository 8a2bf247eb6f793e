package org.ivit.core.engine.cuda;

import java.util.List;
import org.ivit.core.architecture.Merging;
import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.Launch;
import org.ivit.core.engine.cuda.layer.ChannelOrder;
import org.ivit.core.engine.cuda.layer.Constants;
import org.ivit.core.engine.cuda.layer.LinearLayer;
import org.ivit.core.engine.cuda.layer.RowMap;
import org.ivit.core.engine.cuda.layer.StreamLayout;
import org.ivit.core.engine.cuda.row.NormLayer;
import org.ivit.core.graph.IntegerMerging;

/** A patch merging's constants on the device, and its launches. */
final class MergingLayers implements PartLayers {
  private final Merging part;
  private final NormLayer norm;
  private final LinearLayer reduction;
  private final RowMap corners;

  MergingLayers(Constants constants, IntegerMerging merging) {
    this.part = merging.part();
    norm =
        new NormLayer(
            constants,
            merging.norm(),
            new ChannelOrder(4 * part.dim(), merging.reduction().inputOutliers()),
            neighbours());
    reduction = LinearLayer.natural(constants, merging.reduction());
    int columns = part.resolution().width();
    int half = columns / 2;
    int[] table = new int[part.outputTokens()];
    for (int i = 0; i < table.length; i++) {
      table[i] = i / half * 2 * columns + i % half * 2;
    }
    corners = new RowMap(constants.ints(table), table.length, part.tokens(), 0);
  }

  /** Elements of the neighbours (0,0), (1,0), (0,1), (1,1) from a corner's token on. */
  private int[] neighbours() {
    int dim = part.dim();
    int[] elements = new int[4 * dim];
    for (int c = 0; c < elements.length; c++) {
      int i = c / dim;
      int token = i % 2 * part.resolution().width() + i / 2;
      elements[c] = token * StreamLayout.stride(dim) + c % dim;
    }
    return elements;
  }

  /** From the stream to the stream of the next blocks in its place. */
  @Override
  public void add(List<Launch> launches, Device device, PassBuffers buffers, int pictures) {
    int stride = StreamLayout.stride(part.dim());
    int rows = pictures * corners.length();
    long stream = buffers.of(PassBuffers.Name.STREAM, (long) pictures * part.tokens() * stride, 2);
    long codes = buffers.of(PassBuffers.Name.NORM, (long) rows * norm.outputStride(), 1);
    launches.add(norm.codes(rows, corners, stream, stride, codes));
    launches.add(
        reduction.stream(
            device,
            rows,
            codes,
            stream,
            StreamLayout.stride(2 * part.dim()),
            RowMap.same(corners.length()),
            null,
            0,
            0));
  }
}
