package org.ivit.train.device.integer;

import org.ivit.core.architecture.Head;
import org.ivit.core.arithmetic.Pooling;
import org.ivit.core.graph.LayerNorm;
import org.ivit.core.graph.Pool;
import org.ivit.core.graph.build.NodeBuilder;
import org.ivit.core.scheme.NodeScales;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.device.pass.FirstTokens;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.device.pass.RowGather;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.SeenRanges;
import org.ivit.train.parameter.PartSpec;

/**
 * Final norm and classifiers on the device: of the leading tokens, one a classifier, of the mean
 * over the patches, or of the first token and the mean. Its output are int32 logits,
 * [pictures][classes]; its gradient float32.
 */
final class DeviceHead extends QuantizedPart {
  private final Head shape;

  /** Null where the first token is the answer. */
  private final DeviceNorm norm;

  private final CodeMean mean;
  private final DeviceClassifier classifier;
  private float inputScale;
  private LayerNorm builtNorm;
  private Pool pool;
  private long input;

  /**
   * @param from index of the head's first parameter in the network
   */
  DeviceHead(Pass pass, PartSpec spec, Head shape, Scheme scheme, int from) {
    super(pass, spec, scheme, from);
    this.shape = shape;
    norm = shape.normed() ? new DeviceNorm(pass, layout, shape.norm(), shape.dim()) : null;
    mean = new CodeMean(shape.pool().name(), shape.tokens(), shape.leadingTokens(), shape.dim());
    classifier = new DeviceClassifier(pass, layout, shape, scheme.outliers(shape.features()));
  }

  @Override
  public void quantize(Pass pass, Reals weights) {
    classifier.quantize(pass, weights, scales(weights));
  }

  @Override
  public void build(Pass pass, Reals weights) {
    NodeBuilder nodes = nodes(weights);
    NodeScales scales = scales(weights);
    inputScale = inputScale(weights);
    if (norm == null) {
      return;
    }
    builtNorm = nodes.norm(shape.norm(), shape.epsilon(), inputScale, scales.of(shape.norm()));
    if (classifier.count() == 0) {
      return;
    }
    if (shape.pooled()) {
      pool = Pool.of(builtNorm.outputScale(), shape.pooledTokens(), scales.of(shape.pool()));
    }
    classifier.build(pass, nodes, scales);
  }

  @Override
  public void prepare(Pass pass, Reals weights) {
    if (norm == null) {
      return;
    }
    norm.prepare(pass, builtNorm, weights, inputScale);
    classifier.prepare(pass);
    if (pool != null) {
      mean.prepare(pass, pool, builtNorm.outputScale());
    }
  }

  @Override
  public void load(Pass pass) {
    classifier.load(pass);
  }

  @Override
  public float logitScale() {
    if (norm == null) {
      return inputScale;
    }
    return classifier.count() == 0
        ? Pooling.sumScale(builtNorm.outputScale(), shape.pooledTokens())
        : classifier.scale();
  }

  @Override
  public long forward(Pass pass, long x, int pictures) {
    input = x;
    long logits = kept.of("logits", (long) pictures * shape.classes(), 4);
    if (norm == null) {
      firstToken(pass, x, pictures, logits);
      return logits;
    }
    if (shape.pooled()) {
      pool(pass, x, pictures, logits);
      return logits;
    }
    int dim = shape.dim();
    for (int h = 0; h < classifier.count(); h++) {
      long token = kept.of("token" + h, (long) pictures * dim, 2);
      RowGather.slice(pass, 2, x, token, pictures, h, 1, shape.tokens(), dim);
      long codes = kept.of("norm" + h, (long) pictures * dim, 1);
      norm.forward8(pass, token, pictures, codes, h);
      classifier.forward(pass, h, codes, pictures, logits);
    }
    return logits;
  }

  private void firstToken(Pass pass, long x, int pictures, long logits) {
    int dim = shape.dim();
    long token = new FirstTokens(1, shape.tokens(), dim).take(pass, kept, 2, x, pictures);
    widen16(pass, token, logits, (long) pictures * dim);
  }

  private void pool(Pass pass, long x, int pictures, long logits) {
    int rows = pictures * shape.tokens();
    long codes = pass.scratch.of("codes", (long) rows * shape.dim(), 1);
    norm.forward8(pass, x, rows, codes, 0);
    if (classifier.count() == 0) {
      mean.sums(pass, codes, pictures, logits);
      return;
    }
    long means = kept.of("pool", (long) pictures * shape.dim(), 1);
    mean.forward8(pass, codes, pictures, means);
    if (shape.tokenAndMean()) {
      long first = kept.of("norm0", (long) pictures * shape.dim(), 1);
      RowGather.slice(pass, 1, codes, first, pictures, 0, 1, shape.tokens(), shape.dim());
      classifier.forward(pass, 0, first, pictures, logits);
    }
    classifier.forward(pass, classifier.count() - 1, means, pictures, logits);
  }

  @Override
  public long backward(Pass pass, long gy, int pictures) {
    int dim = shape.dim();
    if (norm == null) {
      return new FirstTokens(1, shape.tokens(), dim).gradient(pass, kept, gy, pictures);
    }
    long size = (long) pictures * shape.tokens() * dim;
    long gx = kept.of("gx", size, 4);
    pass.clear(gx, size);
    if (shape.pooled()) {
      backwardPool(pass, gy, gx, pictures);
      return gx;
    }
    long gLogits = pass.partOfMean(gy, pictures, shape.classes(), classifier.count());
    long gNorm = pass.scratch.of("gNorm", (long) pictures * dim, 4);
    for (int h = 0; h < classifier.count(); h++) {
      classifier.backward(pass, h, kept.of("norm" + h, 0, 1), gLogits, gNorm, pictures);
      norm.backward(
          pass,
          kept.of("token" + h, 0, 2),
          gNorm,
          gx + 4L * h * dim,
          (long) shape.tokens() * dim,
          pictures,
          h,
          pass.added() || h > 0);
    }
    return gx;
  }

  private void backwardPool(Pass pass, long gy, long gx, int pictures) {
    int dim = shape.dim();
    int rows = pictures * shape.tokens();
    long gNorm = pass.scratch.of("gNorm", (long) rows * dim, 4);
    if (classifier.count() == 0) {
      mean.backward(pass, gy, pictures, gNorm);
    } else {
      backwardClassifiers(
          pass,
          pass.partOfMean(gy, pictures, shape.classes(), classifier.count()),
          gNorm,
          pictures);
    }
    norm.backward(pass, input, gNorm, gx, dim, rows, 0, pass.added());
  }

  private void backwardClassifiers(Pass pass, long gLogits, long gNorm, int pictures) {
    int dim = shape.dim();
    long gFeature = pass.scratch.of("gContext", (long) pictures * dim, 4);
    int last = classifier.count() - 1;
    classifier.backward(pass, last, kept.of("pool", 0, 1), gLogits, gFeature, pictures);
    mean.backward(pass, gFeature, pictures, gNorm);
    if (shape.tokenAndMean()) {
      classifier.backward(pass, 0, kept.of("norm0", 0, 1), gLogits, gFeature, pictures);
      // The first token takes no part in the mean, so that its gradient is 0 so far.
      RowGather.spread(pass, 4, gFeature, gNorm, pictures, 1, shape.tokens(), dim);
    }
  }

  @Override
  public void seen(Pass pass, SeenRanges seen) {
    if (norm != null) {
      norm.seen(pass, seen);
    }
    if (pool != null) {
      mean.seen(pass, seen);
    }
  }

  @Override
  public void close() {
    super.close();
    if (norm != null) {
      norm.close();
    }
    classifier.close();
  }
}
