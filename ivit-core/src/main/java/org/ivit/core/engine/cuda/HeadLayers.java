package org.ivit.core.engine.cuda;

import java.util.List;
import org.ivit.core.architecture.Head;
import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.Launch;
import org.ivit.core.engine.cuda.layer.ChannelOrder;
import org.ivit.core.engine.cuda.layer.Constants;
import org.ivit.core.engine.cuda.layer.LinearLayer;
import org.ivit.core.engine.cuda.layer.NormLayer;
import org.ivit.core.engine.cuda.layer.PoolLayer;
import org.ivit.core.engine.cuda.layer.RowMap;
import org.ivit.core.engine.cuda.layer.StreamLayout;
import org.ivit.core.graph.IntegerHead;

/** A head's constants on the device, and its launches. */
final class HeadLayers implements PartLayers {
  private final Head part;
  private final NormLayer norm;
  private final PoolLayer pool;
  private final List<LinearLayer> classifiers;

  HeadLayers(Constants constants, IntegerHead head) {
    part = head.part();
    ChannelOrder order = new ChannelOrder(part.dim(), head.classifiers().get(0).inputOutliers());
    norm = new NormLayer(constants, head.norm(), order, null);
    classifiers =
        head.classifiers().stream().map(linear -> LinearLayer.natural(constants, linear)).toList();
    pool =
        head.pool() == null
            ? null
            : new PoolLayer(
                head.pool().multiplier(),
                part.tokens(),
                part.dim(),
                norm.outputStride(),
                classifiers.get(0).depth());
  }

  @Override
  public void add(List<Launch> launches, Device device, PassBuffers buffers, int pictures) {
    int stride = StreamLayout.stride(part.dim());
    int read = part.readTokens();
    int rows = pictures * read;
    long stream = buffers.of(PassBuffers.Name.STREAM, (long) pictures * part.tokens() * stride, 2);
    long codes = buffers.of(PassBuffers.Name.NORM, (long) rows * norm.outputStride(), 1);
    long logits = buffers.of(PassBuffers.Name.LOGITS, (long) pictures * part.classes(), 4);
    launches.add(norm.codes(rows, RowMap.leading(read, part.tokens()), stream, stride, codes));
    if (pool != null) {
      LinearLayer classifier = classifiers.get(0);
      long means = buffers.of(PassBuffers.Name.POOL, (long) pictures * classifier.depth(), 1);
      launches.add(pool.launch(pictures, codes, means));
      launches.add(classifier.logits(device, pictures, means, classifier.depth(), logits, false));
      return;
    }
    for (int i = 0; i < classifiers.size(); i++) {
      launches.add(
          classifiers
              .get(i)
              .logits(
                  device,
                  pictures,
                  codes + (long) i * norm.outputStride(),
                  read * norm.outputStride(),
                  logits,
                  i > 0));
    }
  }
}
