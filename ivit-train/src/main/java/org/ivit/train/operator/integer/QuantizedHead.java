package org.ivit.train.operator.integer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.ivit.core.architecture.Head;
import org.ivit.core.arithmetic.Pooling;
import org.ivit.core.graph.IntegerHead;
import org.ivit.core.graph.LayerNorm;
import org.ivit.core.graph.Pool;
import org.ivit.core.graph.build.NodeBuilder;
import org.ivit.core.scheme.NodeScales;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.Gemm;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Chunk;
import org.ivit.train.operator.Execution;
import org.ivit.train.operator.LogitOperator;
import org.ivit.train.operator.floating.FloatHead;
import org.ivit.train.parameter.PartSpec;

/**
 * Final norm and classifiers in integers, of the first tokens, one a classifier, of the mean over
 * tokens, or of the first token and the mean: dequantized codes [batch, tokens, dim] to dequantized
 * logits [batch, classes]. Without classifiers the answer is the sum of the normed codes over the
 * tokens of the mean, or the codes of the first token as they come.
 */
public final class QuantizedHead extends QuantizedPartOperator implements LogitOperator {
  private final Head shape;

  /** Null where the answer is a feature of tokens. */
  private final QuantClassifier classifier;

  /** Null where the first token is the answer. */
  private final QuantNorm norm;

  /** Null where no mean is taken. */
  private final QuantPool pool;

  private float inputScale;
  private float featureScale;
  private int[] features = {};

  /**
   * @param spec of the head
   * @param shape sizes
   * @param scheme forms, widths, outlier channels
   */
  public QuantizedHead(PartSpec spec, Head shape, Scheme scheme) {
    super(spec, shape.pooled() ? shape.tokens() : 1, scheme);
    this.shape = shape;
    this.classifier =
        shape.classifiers().isEmpty() ? null : new QuantClassifier(spec, layout(), shape);
    this.norm =
        shape.normed() ? new QuantNorm(spec.prefix(), layout(), shape.norm(), shape.dim()) : null;
    this.pool =
        shape.pooled()
            ? new QuantPool(shape.pool().name(), shape.tokens(), shape.leadingTokens(), shape.dim())
            : null;
  }

  /** The scale of the logits, which follows from weights and ranges. */
  @Override
  public float outputScale(Reals weights) {
    IntegerHead built = nodes(weights).head(shape, scales(weights), inputScale(weights));
    return built.outputScale();
  }

  @Override
  public int[] logits() {
    return classifier == null ? features.clone() : classifier.logits();
  }

  @Override
  public float logitScale() {
    return classifier == null ? featureScale : classifier.scale();
  }

  @Override
  List<QuantLinear> linears() {
    return classifier == null ? List.of() : classifier.linears();
  }

  @Override
  protected void prepare(Reals weights, int batch, Execution run) {
    NodeBuilder nodes = nodes(weights);
    NodeScales scales = scales(weights);
    inputScale = inputScale(weights);
    if (norm == null) {
      featureScale = inputScale;
    } else {
      LayerNorm built =
          nodes.norm(shape.norm(), shape.epsilon(), inputScale, scales.of(shape.norm()));
      norm.prepare(built, weights, inputScale);
      featureScale = Pooling.sumScale(built.outputScale(), shape.pooledTokens());
    }
    if (classifier == null) {
      features = Arrays.copyOf(features, batch * shape.dim());
      return;
    }
    if (pool != null) {
      float normScale = norm.node().outputScale();
      float poolScale = scales.of(shape.pool());
      pool.prepare(Pool.of(normScale, shape.pooledTokens(), poolScale), normScale);
    }
    classifier.prepare(nodes, scales, scheme, batch, run.type());
  }

  @Override
  protected void forward(Reals weights, Reals x, Reals y, Chunk chunk, Execution run) {
    if (norm == null) {
      firstTokens(x, y, chunk);
    } else if (classifier == null) {
      answer(normedSums(x, chunk), y, chunk);
    } else {
      List<Reals> read = pool == null ? leading(x, chunk) : pooled(x, chunk);
      classifier.forward(run.gemm(), read, y, chunk.first(), chunk.count(), chunk.scratch());
    }
  }

  private void firstTokens(Reals x, Reals y, Chunk chunk) {
    int count = chunk.count();
    int dim = shape.dim();
    int stride = shape.tokens() * dim;
    Buffers scratch = chunk.scratch();
    short[] tokens = scratch.shorts("tokens", count * dim);
    int from = chunk.first() * stride;
    Codes.recoverRuns(x, from, stride, inputScale, tokens, dim, count, scratch);
    int[] codes = scratch.ints("features", count * dim);
    for (int i = 0; i < count * dim; i++) {
      codes[i] = tokens[i];
    }
    answer(codes, y, chunk);
  }

  private void answer(int[] codes, Reals y, Chunk chunk) {
    int dim = shape.dim();
    double[] row = chunk.scratch().doubles("row", dim);
    for (int i = 0; i < chunk.count(); i++) {
      int at = (chunk.first() + i) * dim;
      System.arraycopy(codes, i * dim, features, at, dim);
      for (int c = 0; c < dim; c++) {
        row[c] = codes[i * dim + c] * (double) featureScale;
      }
      y.put(at, row, 0, dim);
    }
  }

  /** The codes of the normed tokens, one a classifier. */
  private List<Reals> leading(Reals x, Chunk chunk) {
    int count = chunk.count();
    Buffers scratch = chunk.scratch();
    int dim = shape.dim();
    int stride = shape.tokens() * dim;
    byte[] codes = scratch.bytes("codes", count * dim);
    List<Reals> normed = new ArrayList<>();
    for (int h = 0; h < shape.classifiers().size(); h++) {
      short[] input = chunk.keep().shorts(inputKey(h), count * dim);
      int from = chunk.first() * stride + h * dim;
      Codes.recoverRuns(x, from, stride, inputScale, input, dim, count, scratch);
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

  /** The sums over the normed tokens. */
  private int[] normedSums(Reals x, Chunk chunk) {
    int count = chunk.count();
    Buffers scratch = chunk.scratch();
    int size = shape.tokens() * shape.dim();
    short[] input = chunk.keep().shorts("input", count * size);
    Codes.recover(x, chunk.first() * size, inputScale, input, count * size, scratch);
    byte[] codes = scratch.bytes("codes", count * size);
    norm.forward(input, codes, count * shape.tokens(), chunk.seen(), scratch);
    return pool.sums(codes, count, scratch);
  }

  /** The codes of the mean over the normed tokens, behind those of the first where it is read. */
  private List<Reals> pooled(Reals x, Chunk chunk) {
    int count = chunk.count();
    int dim = shape.dim();
    Buffers scratch = chunk.scratch();
    byte[] means = scratch.bytes("pool", count * dim);
    pool.means(normedSums(x, chunk), means, count, chunk.seen());
    Reals pooled = chunk.keep().reals("pool", count * dim);
    pooled.put(0, means, 0, count * dim);
    if (!shape.tokenAndMean()) {
      return List.of(pooled);
    }
    Reals first = chunk.keep().reals(FloatHead.normKey(0), count * dim);
    byte[] normed = scratch.bytes("codes", 0);
    for (int i = 0; i < count; i++) {
      first.put(i * dim, normed, i * shape.tokens() * dim, dim);
    }
    return List.of(first, pooled);
  }

  @Override
  protected void backward(
      Reals weights, Reals x, Reals gy, Reals gx, Reals gradients, Chunk chunk, Execution run) {
    int count = chunk.count();
    Buffers scratch = chunk.scratch();
    int dim = shape.dim();
    int stride = shape.tokens() * dim;
    Reals target = gx == null ? scratch.reals("gInput", count * stride) : gx;
    int from = gx == null ? 0 : chunk.first() * stride;
    target.clear(from, count * stride);
    if (norm == null) {
      for (int i = 0; i < count; i++) {
        target.put(from + i * stride, gy, (chunk.first() + i) * dim, dim);
      }
    } else if (pool != null) {
      pooledBackward(gy, target, from, gradients, chunk, run);
    } else {
      leadingBackward(gy, target, from, gradients, chunk, run);
    }
  }

  private void pooledBackward(
      Reals gy, Reals target, int from, Reals gradients, Chunk chunk, Execution run) {
    int count = chunk.count();
    Buffers scratch = chunk.scratch();
    int dim = shape.dim();
    Reals gFeature = gy;
    int at = chunk.first() * dim;
    Reals gFirst = shape.tokenAndMean() ? scratch.reals("gFirst", count * dim) : null;
    if (classifier != null) {
      Gemm gemm = run.gemm();
      Reals pooled = chunk.keep().reals("pool", 0);
      Reals gLogits = FloatHead.part(shape, gy, chunk);
      gFeature = scratch.reals("gFeature", count * dim);
      at = 0;
      int last = shape.classifiers().size() - 1;
      classifier.backward(gemm, last, pooled, gLogits, gFeature, gradients, count, scratch);
      if (gFirst != null) {
        Reals first = chunk.keep().reals(FloatHead.normKey(0), 0);
        classifier.backward(gemm, 0, first, gLogits, gFirst, gradients, count, scratch);
      }
    }
    int rows = count * shape.tokens();
    Reals gNorm = scratch.reals("gNorm", rows * dim);
    pool.backward(gFeature, at, gNorm, 0, count, scratch);
    if (gFirst != null) {
      FloatHead.addToFirst(shape, gFirst, gNorm, count, scratch);
    }
    short[] input = chunk.keep().shorts("input", 0);
    norm.backward(input, gNorm, target, from, dim, gradients, rows, scratch);
  }

  private void leadingBackward(
      Reals gy, Reals target, int from, Reals gradients, Chunk chunk, Execution run) {
    int count = chunk.count();
    Buffers keep = chunk.keep();
    Buffers scratch = chunk.scratch();
    int dim = shape.dim();
    int stride = shape.tokens() * dim;
    Reals gLogits = FloatHead.part(shape, gy, chunk);
    Reals gFeature = scratch.reals("gFeature", count * dim);
    for (int h = 0; h < shape.classifiers().size(); h++) {
      Reals normed = keep.reals(FloatHead.normKey(h), 0);
      classifier.backward(run.gemm(), h, normed, gLogits, gFeature, gradients, count, scratch);
      short[] input = keep.shorts(inputKey(h), 0);
      norm.backward(input, gFeature, target, from + h * dim, stride, gradients, count, scratch);
    }
  }
}
