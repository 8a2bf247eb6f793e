package org.ivit.train.device.integer;

import org.ivit.core.architecture.Head;
import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.arithmetic.Pooling;
import org.ivit.core.cuda.Structure;
import org.ivit.core.graph.LayerNorm;
import org.ivit.core.graph.Pool;
import org.ivit.core.graph.build.NodeBuilder;
import org.ivit.core.scheme.NodeScales;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.device.pass.RowGather;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.SeenRanges;
import org.ivit.train.parameter.PartSpec;

/**
 * Final norm and classifiers on the device: of the leading tokens, one a classifier, or of the mean
 * over all tokens. Its output are int32 logits, [pictures][classes]; its gradient float32.
 */
final class DeviceHead extends QuantizedPart {
  private final Head shape;
  private final DeviceNorm norm;
  private final DeviceClassifier classifier;
  private float inputScale;
  private LayerNorm builtNorm;
  private Pool pool;
  private int extremes;
  private long input;

  private static final class ObservedPoolArguments extends Structure {
    private final Field<Long> from = address();
    private final Field<Long> to = address();
    private final Field<Long> extremes = address();
    private final Field<Dyadic> multiplier = dyadic();
    private final Field<Integer> pictures = int32();
    private final Field<Integer> tokens = int32();
    private final Field<Integer> channels = int32();
    private final Field<Integer> unused = unused();
  }

  /**
   * @param from index of the head's first parameter in the network
   */
  DeviceHead(Pass pass, PartSpec spec, Head shape, Scheme scheme, int from) {
    super(pass, spec, scheme, from);
    this.shape = shape;
    norm = new DeviceNorm(pass, layout, shape.norm(), shape.dim());
    classifier = new DeviceClassifier(pass, layout, shape, scheme.outliers(shape.features()));
  }

  @Override
  public void quantize(Pass pass, Reals weights) {
    classifier.quantize(pass, weights, scales(weights).of(shape.features()));
  }

  @Override
  public void build(Pass pass, Reals weights) {
    NodeBuilder nodes = nodes(weights);
    NodeScales scales = scales(weights);
    inputScale = inputScale(weights);
    builtNorm = nodes.norm(shape.norm(), shape.epsilon(), inputScale, scales.of(shape.norm()));
    if (shape.pooled()) {
      pool = Pool.of(builtNorm.outputScale(), shape.tokens(), scales.of(shape.pool()));
    }
    classifier.build(pass, nodes, scales.of(shape.features()));
  }

  @Override
  public void prepare(Pass pass, Reals weights) {
    norm.prepare(pass, builtNorm, weights, inputScale);
    classifier.prepare(pass);
    extremes = pass.extremes();
  }

  @Override
  public void load(Pass pass) {
    classifier.load(pass);
  }

  @Override
  public float logitScale() {
    return classifier.scale();
  }

  @Override
  public long forward(Pass pass, long x, int pictures) {
    input = x;
    long logits = kept.of("logits", (long) pictures * shape.classes(), 4);
    if (shape.pooled()) {
      classifier.forward(pass, 0, pool(pass, x, pictures), pictures, logits);
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

  private long pool(Pass pass, long x, int pictures) {
    int rows = pictures * shape.tokens();
    long codes = pass.scratch.of("codes", (long) rows * shape.dim(), 1);
    norm.forward8(pass, x, rows, codes, 0);
    long means = kept.of("pool", (long) pictures * shape.dim(), 1);
    ObservedPoolArguments a = new ObservedPoolArguments();
    a.from.set(codes);
    a.to.set(means);
    a.extremes.set(pass.observed(extremes));
    a.multiplier.set(pool.multiplier());
    a.pictures.set(pictures);
    a.tokens.set(shape.tokens());
    a.channels.set(shape.dim());
    pass.each("pool_observed", (long) pictures * shape.dim(), 0, a);
    return means;
  }

  @Override
  public long backward(Pass pass, long gy, int pictures) {
    int dim = shape.dim();
    long size = (long) pictures * shape.tokens() * dim;
    long gx = kept.of("gx", size, 4);
    pass.clear(gx, size);
    if (shape.pooled()) {
      backwardPool(pass, gy, gx, pictures);
      return gx;
    }
    long gLogits = gy;
    if (classifier.count() > 1) {
      long classes = (long) pictures * shape.classes();
      gLogits = pass.scratch.of("gLogits", classes, 4);
      pass.scale(gy, gLogits, classes, 0, shape.classes(), 0, 1f / classifier.count());
    }
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

  private void backwardPool(Pass pass, long gLogits, long gx, int pictures) {
    int dim = shape.dim();
    int rows = pictures * shape.tokens();
    long gPool = pass.scratch.of("gContext", (long) pictures * dim, 4);
    classifier.backward(pass, 0, kept.of("pool", 0, 1), gLogits, gPool, pictures);
    long gNorm = pass.scratch.of("gNorm", (long) rows * dim, 4);
    pass.scale(gPool, gNorm, (long) rows * dim, 0, shape.tokens() * dim, dim, 1f / shape.tokens());
    norm.backward(pass, input, gNorm, gx, dim, rows, 0, pass.added());
  }

  @Override
  public void seen(Pass pass, SeenRanges seen) {
    norm.seen(pass, seen);
    if (shape.pooled()) {
      double scale = Pooling.sumScale(builtNorm.outputScale(), shape.tokens());
      pass.include(seen, shape.pool().name(), extremes, scale);
    }
  }

  @Override
  public void close() {
    super.close();
    norm.close();
    classifier.close();
  }
}
