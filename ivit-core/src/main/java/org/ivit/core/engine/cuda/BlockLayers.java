package org.ivit.core.engine.cuda;

import java.util.List;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Windows;
import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.Launch;
import org.ivit.core.engine.cuda.layer.AttentionLayer;
import org.ivit.core.engine.cuda.layer.ChannelOrder;
import org.ivit.core.engine.cuda.layer.Constants;
import org.ivit.core.engine.cuda.layer.GeluTables;
import org.ivit.core.engine.cuda.layer.LinearLayer;
import org.ivit.core.engine.cuda.layer.NormLayer;
import org.ivit.core.engine.cuda.layer.RowMap;
import org.ivit.core.engine.cuda.layer.StreamLayout;
import org.ivit.core.graph.GeluRow;
import org.ivit.core.graph.GeluTable;
import org.ivit.core.graph.IntegerBlock;

/** A transformer block's constants on the device, and its launches. */
final class BlockLayers implements PartLayers {
  private final IntegerBlock block;
  private final Block site;
  private final int wanted;
  private final NormLayer norm1;
  private final LinearLayer qkv;
  private final AttentionLayer attention;
  private final LinearLayer proj;
  private final NormLayer norm2;
  private final LinearLayer fc1;
  private final GeluTables gelu;
  private final LinearLayer fc2;
  private final ChannelOrder hidden;
  private final RowMap order;

  /**
   * @param constants receives them
   * @param block its integers
   * @param wanted tokens of each picture that are read afterwards: all, or the first ones where
   *     there are no windows
   */
  BlockLayers(Constants constants, IntegerBlock block, int wanted) {
    this.block = block;
    this.wanted = wanted;
    this.site = block.part();
    attention = new AttentionLayer(constants, block.attention(), site);
    ChannelOrder qkvInputs = new ChannelOrder(site.dim(), block.qkv().inputOutliers());
    norm1 = new NormLayer(constants, block.norm1(), qkvInputs, null);
    qkv = new LinearLayer(constants, block.qkv(), qkvInputs, attention.columns(3));
    proj = LinearLayer.natural(constants, block.proj());
    norm2 =
        new NormLayer(
            constants,
            block.norm2(),
            new ChannelOrder(site.dim(), block.fc1().inputOutliers()),
            null);
    hidden = new ChannelOrder(site.hidden(), block.fc2().inputOutliers());
    fc1 =
        new LinearLayer(
            constants,
            block.fc1(),
            new ChannelOrder(site.dim(), block.fc1().inputOutliers()),
            hidden.source());
    gelu =
        block.gelu() instanceof GeluRow row
            ? GeluTables.of(constants, row)
            : GeluTables.of(constants, (GeluTable) block.gelu());
    fc2 = new LinearLayer(constants, block.fc2(), hidden, LinearLayer.inOrder(site.dim()));
    Windows windows = site.windows();
    order =
        windows == null
            ? RowMap.same(site.tokens())
            : new RowMap(constants.ints(windows.order()), site.tokens(), site.tokens(), 0);
  }

  @Override
  public void add(List<Launch> launches, Device device, PassBuffers buffers, int pictures) {
    int stride = StreamLayout.stride(site.dim());
    int rows = Math.multiplyExact(pictures, site.tokens());
    boolean all = wanted == site.tokens();
    int left = pictures * wanted;
    RowMap map = all ? order : RowMap.leading(wanted, site.tokens());
    long stream = buffers.of(PassBuffers.Name.STREAM, (long) rows * stride, 2);
    long norm = buffers.of(PassBuffers.Name.NORM, (long) rows * norm1.outputStride(), 1);
    long heads = buffers.of(PassBuffers.Name.QKV, (long) rows * qkvStride(), 1);
    long context =
        buffers.of(PassBuffers.Name.CONTEXT, (long) left * attention.context().length(), 1);
    launches.add(norm1.codes(rows, order, stream, stride, norm));
    launches.add(qkv.codes(device, rows, norm, heads, qkvStride(), null));
    int groups = pictures * site.groups();
    launches.add(attention.launch(device, groups, all ? site.rowTokens() : wanted, heads, context));
    launches.add(
        proj.stream(
            device, left, context, stream, stride, map, block.residual1(), stream, site.tokens()));
    mlp(launches, device, buffers, left, all ? RowMap.same(site.tokens()) : map, stream);
  }

  private int qkvStride() {
    return attention.inputStride();
  }

  private void mlp(
      List<Launch> launches,
      Device device,
      PassBuffers buffers,
      int rows,
      RowMap map,
      long stream) {
    int stride = StreamLayout.stride(site.dim());
    long norm = buffers.of(PassBuffers.Name.NORM, (long) rows * norm2.outputStride(), 1);
    long codes = buffers.of(PassBuffers.Name.HIDDEN, (long) rows * hidden.length(), 1);
    boolean byRow = block.gelu() instanceof GeluRow;
    launches.add(norm2.codes(rows, map, stream, stride, norm));
    launches.add(fc1.codes(device, rows, norm, codes, hidden.length(), byRow ? null : gelu));
    if (byRow) {
      launches.add(gelu.byRow(codes, rows, site.hidden(), hidden.length()));
    }
    launches.add(
        fc2.stream(
            device, rows, codes, stream, stride, map, block.residual2(), stream, site.tokens()));
  }
}
