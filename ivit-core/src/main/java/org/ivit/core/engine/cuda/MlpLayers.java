package org.ivit.core.engine.cuda;

import java.util.List;
import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.Launch;
import org.ivit.core.engine.cuda.layer.ChannelOrder;
import org.ivit.core.engine.cuda.layer.Constants;
import org.ivit.core.engine.cuda.layer.LinearLayer;
import org.ivit.core.engine.cuda.layer.RowMap;
import org.ivit.core.engine.cuda.layer.StreamLayout;
import org.ivit.core.engine.cuda.row.NormLayer;
import org.ivit.core.graph.IntegerAttentionPooling;
import org.ivit.core.graph.IntegerBlock;
import org.ivit.core.graph.LayerNorm;
import org.ivit.core.graph.Linear;
import org.ivit.core.graph.Residual;

/** The constants of a norm, an MLP and its residual addition on the device, and their launches. */
final class MlpLayers {
  private final NormLayer norm;
  private final HiddenLayers hidden;
  private final LinearLayer fc2;
  private final Residual residual;
  private final int dim;

  private MlpLayers(
      Constants constants,
      LayerNorm norm,
      Linear fc1,
      HiddenLayers hidden,
      Linear fc2,
      Residual residual) {
    this.dim = norm.channels();
    this.residual = residual;
    this.hidden = hidden;
    this.norm = new NormLayer(constants, norm, order(fc1), null);
    this.fc2 = new LinearLayer(constants, fc2, order(fc2), LinearLayer.inOrder(dim));
  }

  /** How a layer's input channels lie. */
  private static ChannelOrder order(Linear layer) {
    return new ChannelOrder(layer.inputs(), layer.inputOutliers());
  }

  /** That of a block. */
  static MlpLayers of(Constants constants, IntegerBlock block) {
    ChannelOrder order = order(block.fc2());
    HiddenLayers hidden =
        block.gating() == null
            ? new PlainHiddenLayers(constants, block.fc1(), block.gelu(), order)
            : new GatedHiddenLayers(constants, block, order);
    return new MlpLayers(
        constants, block.norm2(), block.fc1(), hidden, block.fc2(), block.residual2());
  }

  /** That of an attention pooling. */
  static MlpLayers of(Constants constants, IntegerAttentionPooling pooling) {
    HiddenLayers hidden =
        new PlainHiddenLayers(constants, pooling.fc1(), pooling.gelu(), order(pooling.fc2()));
    return new MlpLayers(
        constants, pooling.norm2(), pooling.fc1(), hidden, pooling.fc2(), pooling.residual());
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
    launches.add(norm.codes(rows, map, stream, stride, normed));
    long codes = hidden.add(launches, device, buffers, rows, normed);
    launches.add(
        fc2.stream(device, rows, codes, stream, stride, map, residual, stream, map.stride()));
  }
}
