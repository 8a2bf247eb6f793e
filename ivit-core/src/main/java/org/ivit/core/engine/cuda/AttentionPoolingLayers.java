package org.ivit.core.engine.cuda;

import java.util.List;
import org.ivit.core.architecture.AttentionPooling;
import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.Launch;
import org.ivit.core.engine.cuda.layer.ChannelOrder;
import org.ivit.core.engine.cuda.layer.Constants;
import org.ivit.core.engine.cuda.layer.LinearLayer;
import org.ivit.core.engine.cuda.layer.QueryAttentionLayer;
import org.ivit.core.engine.cuda.layer.RowMap;
import org.ivit.core.engine.cuda.layer.StreamLayout;
import org.ivit.core.engine.cuda.row.NormLayer;
import org.ivit.core.graph.IntegerAttentionPooling;

/**
 * An attention pooling's constants on the device, and its launches: its token takes the place of
 * each picture's first.
 */
final class AttentionPoolingLayers implements PartLayers {
  private static final int CODE_STRIDE = 64;

  private final AttentionPooling part;
  private final int spacing;
  private final NormLayer norm;
  private final LinearLayer scores;
  private final LinearLayer values;
  private final QueryAttentionLayer attention;
  private final LinearLayer proj;
  private final MlpLayers mlp;

  /**
   * @param constants receives them
   * @param pooling its integers
   * @param spacing tokens from one picture to the next in the stream
   */
  AttentionPoolingLayers(Constants constants, IntegerAttentionPooling pooling, int spacing) {
    this.part = pooling.part();
    this.spacing = spacing;
    ChannelOrder inputs = new ChannelOrder(part.dim(), pooling.scores().inputOutliers());
    norm = new NormLayer(constants, pooling.norm(), inputs, null);
    scores = LinearLayer.natural(constants, pooling.scores());
    values = LinearLayer.natural(constants, pooling.values());
    attention = new QueryAttentionLayer(constants, pooling.attention(), part);
    proj = LinearLayer.natural(constants, pooling.proj());
    mlp = MlpLayers.of(constants, pooling);
  }

  @Override
  public void add(List<Launch> launches, Device device, PassBuffers buffers, int pictures) {
    int stride = StreamLayout.stride(part.dim());
    int scoreStride = ChannelOrder.roundUp(part.heads(), CODE_STRIDE);
    int valueStride = ChannelOrder.roundUp(part.dim(), CODE_STRIDE);
    int rows = Math.multiplyExact(pictures, part.tokens());
    long stream = buffers.of(PassBuffers.Name.STREAM, (long) pictures * spacing * stride, 2);
    long normed = buffers.of(PassBuffers.Name.NORM, (long) rows * norm.outputStride(), 1);
    long scoreCodes = buffers.of(PassBuffers.Name.HIDDEN, (long) rows * scoreStride, 1);
    long valueCodes = buffers.of(PassBuffers.Name.QKV, (long) rows * valueStride, 1);
    long context =
        buffers.of(PassBuffers.Name.CONTEXT, (long) pictures * attention.context().length(), 1);
    RowMap first = RowMap.leading(1, spacing);
    launches.add(norm.codes(rows, RowMap.leading(part.tokens(), spacing), stream, stride, normed));
    launches.add(scores.codes(device, rows, normed, scoreCodes, scoreStride, null));
    launches.add(values.codes(device, rows, normed, valueCodes, valueStride, null));
    launches.add(
        attention.launch(pictures, scoreCodes, scoreStride, valueCodes, valueStride, context));
    launches.add(proj.stream(device, pictures, context, stream, stride, first, null, 0, 0));
    mlp.add(launches, device, buffers, pictures, first, stream);
  }
}
