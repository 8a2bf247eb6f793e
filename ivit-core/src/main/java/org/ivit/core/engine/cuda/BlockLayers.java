package org.ivit.core.engine.cuda;

import java.util.List;
import org.ivit.core.architecture.Block;
import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.Launch;
import org.ivit.core.engine.cuda.layer.AttentionLayer;
import org.ivit.core.engine.cuda.layer.ChannelOrder;
import org.ivit.core.engine.cuda.layer.Constants;
import org.ivit.core.engine.cuda.layer.LinearLayer;
import org.ivit.core.engine.cuda.layer.RotatedLayer;
import org.ivit.core.engine.cuda.layer.RowMap;
import org.ivit.core.engine.cuda.layer.StreamLayout;
import org.ivit.core.engine.cuda.row.NormLayer;
import org.ivit.core.graph.IntegerBlock;

/** A transformer block's constants on the device, and its launches. */
final class BlockLayers implements PartLayers {
  private final IntegerBlock block;
  private final Block site;
  private final int wanted;
  private final NormLayer norm1;

  /** Queries, keys and values, where nothing turns them. */
  private final LinearLayer qkv;

  /** The same, where rotary positions do. */
  private final RotatedLayer rotated;

  private final AttentionLayer attention;
  private final LinearLayer proj;
  private final MlpLayers mlp;
  private final RowMap order;

  /**
   * @param constants receives them
   * @param block its integers
   * @param read tokens of each picture that are read afterwards, the first ones
   */
  BlockLayers(Constants constants, IntegerBlock block, int read) {
    this.block = block;
    this.site = block.part();
    // In windows any token may come from any of them.
    this.wanted = site.inOrder() ? read : site.tokens();
    attention = new AttentionLayer(constants, block.attention(), site);
    ChannelOrder qkvInputs = new ChannelOrder(site.dim(), block.qkv().inputOutliers());
    norm1 = new NormLayer(constants, block.norm1(), qkvInputs, null);
    boolean turned = block.rotation() != null;
    qkv =
        turned
            ? null
            : new LinearLayer(constants, block.qkv(), qkvInputs, attention.grid().columns(3));
    rotated =
        turned
            ? new RotatedLayer(
                constants, block.qkv(), block.rotation(), qkvInputs, attention.grid())
            : null;
    proj = LinearLayer.natural(constants, block.proj());
    mlp = MlpLayers.of(constants, block);
    order =
        site.inOrder()
            ? RowMap.same(site.tokens())
            : new RowMap(constants.ints(site.windows().order()), site.tokens(), site.tokens(), 0);
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
    launches.add(
        rotated == null
            ? qkv.codes(device, rows, norm, heads, qkvStride(), null)
            : rotated.launch(device, rows, norm, heads, qkvStride()));
    int groups = pictures * site.groups();
    launches.add(attention.launch(device, groups, all ? site.rowTokens() : wanted, heads, context));
    launches.add(
        proj.stream(
            device, left, context, stream, stride, map, block.residual1(), stream, site.tokens()));
    RowMap finished = all ? RowMap.same(site.tokens()) : map;
    mlp.add(launches, device, buffers, left, finished, stream);
  }

  private int qkvStride() {
    return attention.inputStride();
  }
}
