package org.ivit.core.engine.cuda;

import java.util.List;
import org.ivit.core.architecture.MeanPooling;
import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.Launch;
import org.ivit.core.engine.cuda.layer.StreamLayout;
import org.ivit.core.engine.cuda.row.PoolLayer;
import org.ivit.core.graph.IntegerMeanPooling;

/** The launch of a mean over the stream, which takes the place of each picture's first token. */
final class MeanPoolingLayers implements PartLayers {
  private final MeanPooling part;
  private final Dyadic multiplier;
  private final PoolLayer pool;

  /**
   * @param pooling its integers
   * @param spacing tokens from one picture to the next in the stream
   */
  MeanPoolingLayers(IntegerMeanPooling pooling, int spacing) {
    part = pooling.part();
    multiplier = pooling.pool().multiplier();
    int stride = StreamLayout.stride(part.dim());
    pool =
        new PoolLayer(part.pooledTokens(), part.dim(), stride, Math.multiplyExact(spacing, stride));
  }

  @Override
  public void add(List<Launch> launches, Device device, PassBuffers buffers, int pictures) {
    long stream =
        buffers.of(PassBuffers.Name.STREAM, (long) pictures * pool.pictureStride(), Short.BYTES);
    long first = stream + (long) part.leading() * pool.stride() * Short.BYTES;
    launches.add(pool.streamMeans(multiplier, pictures, first, stream));
  }
}
