package org.ivit.core.engine.cuda;

import java.util.List;
import org.ivit.core.architecture.Head;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.Launch;
import org.ivit.core.engine.cuda.layer.ChannelOrder;
import org.ivit.core.engine.cuda.layer.Constants;
import org.ivit.core.engine.cuda.layer.LinearLayer;
import org.ivit.core.engine.cuda.layer.RowMap;
import org.ivit.core.engine.cuda.layer.StreamLayout;
import org.ivit.core.engine.cuda.row.NormLayer;
import org.ivit.core.engine.cuda.row.PoolLayer;
import org.ivit.core.graph.IntegerHead;
import org.ivit.core.graph.Pool;

/** A head's constants on the device, and its launches. */
final class HeadLayers implements PartLayers {
  private final Head part;
  private final int spacing;

  /** Null where the first token is the answer. */
  private final NormLayer norm;

  private final Pool pool;
  private final List<LinearLayer> classifiers;

  /**
   * @param constants receives them
   * @param head its integers
   * @param spacing tokens from one picture to the next in the stream
   */
  HeadLayers(Constants constants, IntegerHead head, int spacing) {
    this.part = head.part();
    this.spacing = spacing;
    this.pool = head.pool();
    OutlierChannels outliers =
        head.classifiers().isEmpty()
            ? OutlierChannels.NONE
            : head.classifiers().get(0).inputOutliers();
    norm =
        head.norm() == null
            ? null
            : new NormLayer(constants, head.norm(), new ChannelOrder(part.dim(), outliers), null);
    classifiers =
        head.classifiers().stream().map(linear -> LinearLayer.natural(constants, linear)).toList();
  }

  @Override
  public void add(List<Launch> launches, Device device, PassBuffers buffers, int pictures) {
    int stride = StreamLayout.stride(part.dim());
    long stream = buffers.of(PassBuffers.Name.STREAM, (long) pictures * spacing * stride, 2);
    long answer = buffers.of(PassBuffers.Name.LOGITS, (long) pictures * part.classes(), 4);
    if (norm == null) {
      int pictureStride = Math.multiplyExact(spacing, stride);
      PoolLayer first = new PoolLayer(1, part.dim(), stride, pictureStride);
      launches.add(first.streamSums(pictures, stream, answer));
      return;
    }
    int skipped = part.tokenAndMean() ? 0 : part.leadingTokens();
    int read = part.readTokens() - skipped;
    int rows = Math.multiplyExact(pictures, read);
    long codes = buffers.of(PassBuffers.Name.NORM, (long) rows * norm.outputStride(), 1);
    RowMap map = new RowMap(0, read, spacing, skipped);
    launches.add(norm.codes(rows, map, stream, stride, codes));
    if (part.pooled()) {
      addPooled(launches, device, buffers, pictures, codes, read, answer);
      return;
    }
    for (int i = 0; i < classifiers.size(); i++) {
      launches.add(classified(device, i, pictures, codes, read, answer));
    }
  }

  /** The logits of a classifier of the token of its number, added to those before. */
  private Launch classified(
      Device device, int classifier, int pictures, long codes, int read, long answer) {
    int stride = norm.outputStride();
    long token = codes + (long) classifier * stride;
    return classifiers
        .get(classifier)
        .logits(device, pictures, token, read * stride, answer, classifier > 0);
  }

  /**
   * @param codes address of normed tokens, those of the mean the last of each picture's
   * @param read tokens of a picture
   */
  private void addPooled(
      List<Launch> launches,
      Device device,
      PassBuffers buffers,
      int pictures,
      long codes,
      int read,
      long answer) {
    int tokens = part.pooledTokens();
    int stride = norm.outputStride();
    PoolLayer sums = new PoolLayer(tokens, part.dim(), stride, Math.multiplyExact(read, stride));
    long first = codes + (long) (read - tokens) * stride;
    if (pool == null) {
      launches.add(sums.sums(pictures, first, answer));
      return;
    }
    if (part.tokenAndMean()) {
      launches.add(classified(device, 0, pictures, codes, read, answer));
    }
    int last = classifiers.size() - 1;
    LinearLayer classifier = classifiers.get(last);
    int depth = classifier.depth();
    long means = buffers.of(PassBuffers.Name.POOL, (long) pictures * depth, 1);
    launches.add(sums.means(pool.multiplier(), pictures, first, means, depth));
    launches.add(classifier.logits(device, pictures, means, depth, answer, last > 0));
  }
}
