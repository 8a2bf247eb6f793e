package org.ivit.core.engine.cuda;

import java.util.List;
import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.Launch;
import org.ivit.core.engine.cuda.layer.ChannelOrder;
import org.ivit.core.engine.cuda.layer.Constants;
import org.ivit.core.engine.cuda.layer.GeluTables;
import org.ivit.core.engine.cuda.layer.LinearLayer;
import org.ivit.core.engine.cuda.layer.NormLayer;
import org.ivit.core.engine.cuda.layer.RowMap;
import org.ivit.core.engine.cuda.layer.StreamLayout;
import org.ivit.core.graph.Gelu;
import org.ivit.core.graph.GeluRow;
import org.ivit.core.graph.GeluTable;
import org.ivit.core.graph.LayerNorm;
import org.ivit.core.graph.Linear;
import org.ivit.core.graph.Residual;

/** The constants of a norm, an MLP and its residual addition on the device, and their launches. */
final class MlpLayers {
  private final NormLayer norm;
  private final LinearLayer fc1;
  private final GeluTables gelu;
  private final boolean byRow;
  private final LinearLayer fc2;
  private final Residual residual;
  private final int dim;
  private final int hidden;
  private final ChannelOrder order;

  MlpLayers(
      Constants constants, LayerNorm norm, Linear fc1, Gelu gelu, Linear fc2, Residual residual) {
    this.dim = norm.channels();
    this.hidden = fc1.outputs();
    this.residual = residual;
    ChannelOrder inputs = new ChannelOrder(dim, fc1.inputOutliers());
    order = new ChannelOrder(hidden, fc2.inputOutliers());
    this.norm = new NormLayer(constants, norm, inputs, null);
    this.fc1 = new LinearLayer(constants, fc1, inputs, order.source());
    this.byRow = gelu instanceof GeluRow;
    this.gelu =
        gelu instanceof GeluRow row
            ? GeluTables.of(constants, row)
            : GeluTables.of(constants, (GeluTable) gelu);
    this.fc2 = new LinearLayer(constants, fc2, order, LinearLayer.inOrder(dim));
  }

  /**
   * Adds the launches, from the stream to the stream in its place.
   *
   * @param rows tokens
   * @param map where they lie
   * @param stream address
   */
  void add(
      List<Launch> launches,
      Device device,
      PassBuffers buffers,
      int rows,
      RowMap map,
      long stream) {
    int stride = StreamLayout.stride(dim);
    long normed = buffers.of(PassBuffers.Name.NORM, (long) rows * norm.outputStride(), 1);
    long codes = buffers.of(PassBuffers.Name.HIDDEN, (long) rows * order.length(), 1);
    launches.add(norm.codes(rows, map, stream, stride, normed));
    launches.add(fc1.codes(device, rows, normed, codes, order.length(), byRow ? null : gelu));
    if (byRow) {
      launches.add(gelu.byRow(codes, rows, hidden, order.length()));
    }
    launches.add(
        fc2.stream(device, rows, codes, stream, stride, map, residual, stream, map.stride()));
  }
}
