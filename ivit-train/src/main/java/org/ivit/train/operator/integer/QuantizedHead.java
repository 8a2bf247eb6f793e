package org.ivit.train.operator.integer;

import java.util.ArrayList;
import java.util.List;
import org.ivit.core.architecture.Head;
import org.ivit.core.arithmetic.Pooling;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.graph.Pool;
import org.ivit.core.graph.build.NodeBuilder;
import org.ivit.core.scheme.NodeScales;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Chunk;
import org.ivit.train.operator.Execution;
import org.ivit.train.operator.LogitOperator;
import org.ivit.train.operator.SeenRanges;
import org.ivit.train.operator.floating.FloatHead;
import org.ivit.train.parameter.PartSpec;

/**
 * Final norm and classifiers in integers, of the leading tokens, one a classifier, or of the mean
 * over all tokens: dequantized codes [batch, tokens, dim] to dequantized logits [batch, classes].
 */
public final class QuantizedHead extends QuantizedPartOperator implements LogitOperator {
  private final Head shape;
  private final QuantClassifier classifier;
  private final QuantNorm norm;
  private float inputScale;
  private Pool pool;

  /**
   * @param spec of the head
   * @param shape sizes
   * @param scheme forms, widths, outlier channels
   */
  public QuantizedHead(PartSpec spec, Head shape, Scheme scheme) {
    super(spec, shape.pooled() ? shape.tokens() : 1, scheme);
    this.shape = shape;
    this.classifier = new QuantClassifier(spec, layout(), shape);
    this.norm = new QuantNorm(spec.prefix(), layout(), shape.norm(), shape.dim());
  }

  /** The scale of the logits, which follows from weights and ranges. */
  @Override
  public float outputScale(Reals weights) {
    return nodes(weights).head(shape, scales(weights), inputScale(weights)).outputScale();
  }

  @Override
  public int[] logits() {
    return classifier.logits();
  }

  @Override
  public float logitScale() {
    return classifier.scale();
  }

  @Override
  protected void prepare(Reals weights, int batch, Execution run) {
    NodeBuilder nodes = nodes(weights);
    NodeScales scales = scales(weights);
    inputScale = inputScale(weights);
    float normScale = scales.of(shape.norm());
    float featureScale = scales.of(shape.features());
    norm.prepare(
        nodes.norm(shape.norm(), shape.epsilon(), inputScale, normScale), weights, inputScale);
    if (shape.pooled()) {
      pool = Pool.of(normScale, shape.tokens(), featureScale);
    }
    classifier.prepare(nodes, featureScale, scheme, batch, run.type());
  }

  @Override
  protected void forward(Reals weights, Reals x, Reals y, Chunk chunk, Execution run) {
    List<Reals> features = shape.pooled() ? List.of(pooled(x, chunk)) : leading(x, chunk);
    classifier.forward(run.gemm(), features, y, chunk.first(), chunk.count(), chunk.scratch());
  }

  /** The codes of the normed tokens, one a classifier. */
  private List<Reals> leading(Reals x, Chunk chunk) {
    int count = chunk.count();
    Buffers scratch = chunk.scratch();
    int dim = shape.dim();
    int stride = shape.tokens() * dim;
    short[] token = scratch.shorts("token", dim);
    byte[] codes = scratch.bytes("codes", count * dim);
    List<Reals> normed = new ArrayList<>();
    for (int h = 0; h < shape.classifiers().size(); h++) {
      short[] input = chunk.keep().shorts(inputKey(h), count * dim);
      for (int i = 0; i < count; i++) {
        Codes.recover(x, (chunk.first() + i) * stride + h * dim, inputScale, token, dim, scratch);
        System.arraycopy(token, 0, input, i * dim, dim);
      }
      norm.forward(input, codes, count, chunk.seen(), scratch);
      Reals rows = chunk.keep().reals(FloatHead.normKey(h), count * dim);
      Codes.widen(codes, count, dim, scheme.outliers(shape.norm()), rows);
      normed.add(rows);
    }
    return normed;
  }

  private static String inputKey(int head) {
    return "input" + head;
  }

  /** The codes of the mean over the normed tokens. */
  private Reals pooled(Reals x, Chunk chunk) {
    int count = chunk.count();
    Buffers scratch = chunk.scratch();
    int size = shape.tokens() * shape.dim();
    short[] input = chunk.keep().shorts("input", count * size);
    Codes.recover(x, chunk.first() * size, inputScale, input, count * size, scratch);
    byte[] codes = scratch.bytes("codes", count * size);
    norm.forward(input, codes, count * shape.tokens(), chunk.seen(), scratch);
    byte[] means = scratch.bytes("pool", count * shape.dim());
    pool(codes, means, count, chunk.seen());
    Reals pooled = chunk.keep().reals("pool", count * shape.dim());
    pooled.put(0, means, 0, count * shape.dim());
    return pooled;
  }

  private void pool(byte[] codes, byte[] means, int count, SeenRanges values) {
    int dim = shape.dim();
    long min = Long.MAX_VALUE;
    long max = Long.MIN_VALUE;
    for (int i = 0; i < count; i++) {
      for (int c = 0; c < dim; c++) {
        long sum = 0;
        for (int t = 0; t < shape.tokens(); t++) {
          sum += codes[(i * shape.tokens() + t) * dim + c];
        }
        min = Math.min(min, sum);
        max = Math.max(max, sum);
        means[i * dim + c] = Quantizer.clamp8(pool.multiplier().apply(sum));
      }
    }
    if (values != null) {
      double scale = Pooling.sumScale(norm.node().outputScale(), shape.tokens());
      values.include(shape.pool().name(), min * scale, max * scale);
    }
  }

  @Override
  protected void backward(
      Reals weights, Reals x, Reals gy, Reals gx, Reals gradients, Chunk chunk, Execution run) {
    int count = chunk.count();
    Buffers keep = chunk.keep();
    Buffers scratch = chunk.scratch();
    int dim = shape.dim();
    int stride = shape.tokens() * dim;
    Reals gLogits = FloatHead.part(shape, gy, chunk);
    Reals target = gx == null ? scratch.reals("gInput", count * stride) : gx;
    int from = gx == null ? 0 : chunk.first() * stride;
    target.clear(from, count * stride);
    Reals gFeature = scratch.reals("gFeature", count * dim);
    if (shape.pooled()) {
      Reals pooled = keep.reals("pool", 0);
      classifier.backward(run.gemm(), 0, pooled, gLogits, gFeature, gradients, count, scratch);
      Reals gNorm = FloatHead.spread(shape, gFeature, chunk);
      short[] input = keep.shorts("input", 0);
      int rows = count * shape.tokens();
      norm.backward(input, gNorm, target, from, dim, gradients, rows, scratch);
      return;
    }
    for (int h = 0; h < shape.classifiers().size(); h++) {
      Reals normed = keep.reals(FloatHead.normKey(h), 0);
      classifier.backward(run.gemm(), h, normed, gLogits, gFeature, gradients, count, scratch);
      short[] input = keep.shorts(inputKey(h), 0);
      norm.backward(input, gFeature, target, from + h * dim, stride, gradients, count, scratch);
    }
  }
}
