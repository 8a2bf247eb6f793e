package org.ivit.core.engine.cuda;

import java.util.List;
import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.Launch;
import org.ivit.core.engine.cuda.layer.ChannelOrder;
import org.ivit.core.engine.cuda.layer.Constants;
import org.ivit.core.engine.cuda.layer.GeluTables;
import org.ivit.core.engine.cuda.layer.LinearLayer;
import org.ivit.core.graph.Gelu;
import org.ivit.core.graph.GeluRow;
import org.ivit.core.graph.GeluTable;
import org.ivit.core.graph.Linear;

/** A product and its activation function. */
final class PlainHiddenLayers implements HiddenLayers {
  private final LinearLayer fc1;
  private final GeluTables gelu;
  private final boolean byRow;
  private final int hidden;
  private final ChannelOrder order;

  /**
   * @param constants receives them
   * @param fc1 the product
   * @param gelu the function
   * @param order of the codes
   */
  PlainHiddenLayers(Constants constants, Linear fc1, Gelu gelu, ChannelOrder order) {
    this.hidden = fc1.outputs();
    this.order = order;
    ChannelOrder inputs = new ChannelOrder(fc1.inputs(), fc1.inputOutliers());
    this.fc1 = new LinearLayer(constants, fc1, inputs, order.source());
    this.byRow = gelu instanceof GeluRow;
    this.gelu =
        gelu instanceof GeluRow row
            ? GeluTables.of(constants, row)
            : GeluTables.of(constants, (GeluTable) gelu);
  }

  @Override
  public long add(
      List<Launch> launches, Device device, PassBuffers buffers, int rows, long normed) {
    long codes = buffers.of(PassBuffers.Name.HIDDEN, (long) rows * order.length(), 1);
    launches.add(fc1.codes(device, rows, normed, codes, order.length(), byRow ? null : gelu));
    if (byRow) {
      launches.add(gelu.byRow(codes, rows, hidden, order.length()));
    }
    return codes;
  }
}
