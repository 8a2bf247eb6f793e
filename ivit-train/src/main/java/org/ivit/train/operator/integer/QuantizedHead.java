package org.ivit.train.operator.integer;

import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import org.ivit.core.graph.Linear;
import org.ivit.core.graph.NodeBuilder;
import org.ivit.core.graph.NodeNames;
import org.ivit.core.graph.Range;
import org.ivit.core.graph.Scheme;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Execution;
import org.ivit.train.operator.IntegerHead;
import org.ivit.train.operator.KeptBuffers;
import org.ivit.train.operator.RangeMode;
import org.ivit.train.operator.SeenInChunks;
import org.ivit.train.operator.SeenRanges;
import org.ivit.train.operator.floating.FloatHead;
import org.ivit.train.parameter.HeadShape;
import org.ivit.train.parameter.NodeRanges;
import org.ivit.train.parameter.ParameterLayout;
import org.ivit.train.parameter.ParameterView;

/**
 * Final norm of the leading tokens and a classifier for each in integers: dequantized 16-bit codes
 * [batch, tokens, dim] to dequantized logits [batch, classes].
 */
public final class QuantizedHead implements IntegerHead {
  private static final String INPUT = "input";

  private final HeadShape shape;
  private final Scheme scheme;
  private final ParameterLayout layout;
  private final NodeRanges ranges;
  private final QuantNorm norm;
  private final QuantClassifier head;
  private final KeptBuffers kept = new KeptBuffers();
  private final SeenInChunks seen = new SeenInChunks();
  private float inputScale;

  /**
   * @param shape sizes
   * @param inputNode full name of the node that feeds the head
   * @param scheme forms, widths, outlier channels
   */
  public QuantizedHead(HeadShape shape, String inputNode, Scheme scheme) {
    this.shape = shape;
    this.scheme = scheme;
    this.layout = shape.parameters();
    this.norm = new QuantNorm(layout, "", NodeNames.NORM, shape.dim());
    this.head = new QuantClassifier(layout, shape);
    this.ranges = new NodeRanges(layout).add(INPUT, inputNode).add(NodeNames.NORM, NodeNames.NORM);
  }

  @Override
  public ParameterLayout layout() {
    return layout;
  }

  @Override
  public SortedMap<String, String> rangeNodes() {
    return ranges.keys();
  }

  /** The scale of the logits, which follows from weights and ranges. */
  @Override
  public float outputScale(Reals weights) {
    NodeBuilder nodes = new NodeBuilder(ParameterView.of(layout, "", weights), scheme);
    List<Linear> heads = nodes.heads(shape.heads(), ranges.scale(weights, NodeNames.NORM));
    return heads.get(0).outputScale() / heads.size();
  }

  @Override
  public SortedMap<String, Range> seenRanges() {
    return seen.all();
  }

  @Override
  public int[] logits() {
    return head.logits();
  }

  @Override
  public float logitScale() {
    return head.scale();
  }

  @Override
  public void forward(Reals weights, Reals x, Reals y, int batch, boolean training, Execution run) {
    NodeBuilder nodes = new NodeBuilder(ParameterView.of(layout, "", weights), scheme);
    inputScale = ranges.scale(weights, INPUT);
    float normScale = ranges.scale(weights, NodeNames.NORM);
    norm.prepare(nodes.norm(NodeNames.NORM, normScale), weights, inputScale);
    head.prepare(nodes, normScale, scheme.outliers(NodeNames.NORM), batch, run.type());
    int chunks = run.chunks(batch, 1);
    if (training) {
      kept.begin(batch, chunks, run.type());
    }
    seen.begin(training && run.rangeMode() == RangeMode.LAGGED ? chunks : 0);
    run.forEachChunk(
        batch,
        1,
        (chunk, first, count, part) -> {
          Buffers scratch = run.scratch(part);
          Buffers keep = training ? kept.chunk(chunk) : scratch;
          forward(x, y, first, count, run, keep, scratch, seen.chunk(chunk));
        });
  }

  private void forward(
      Reals x,
      Reals y,
      int first,
      int count,
      Execution run,
      Buffers keep,
      Buffers scratch,
      SeenRanges values) {
    int dim = shape.dim();
    int stride = shape.tokens() * dim;
    short[] token = scratch.shorts("token", dim);
    byte[] codes = scratch.bytes("codes", count * dim);
    List<Reals> normed = new ArrayList<>();
    for (int h = 0; h < shape.heads().size(); h++) {
      short[] input = keep.shorts(inputKey(h), count * dim);
      for (int i = 0; i < count; i++) {
        Codes.recover(x, (first + i) * stride + h * dim, inputScale, token, dim, scratch);
        System.arraycopy(token, 0, input, i * dim, dim);
      }
      norm.forward(input, codes, count, values, scratch);
      Reals rows = keep.reals(FloatHead.normKey(h), count * dim);
      Codes.widen(codes, count, dim, scheme.outliers(NodeNames.NORM), rows);
      normed.add(rows);
    }
    head.forward(run.gemm(), normed, y, first, count, scratch);
  }

  private static String inputKey(int head) {
    return INPUT + head;
  }

  @Override
  public void backward(
      Reals weights, Reals x, Reals gy, Reals gx, Reals gradients, int batch, Execution run) {
    kept.check(batch);
    int dim = shape.dim();
    int stride = shape.tokens() * dim;
    run.forEachChunkWithGradients(
        batch,
        1,
        layout.size(),
        gradients,
        (chunk, first, count, part, sums) -> {
          Buffers scratch = run.scratch(part);
          Buffers keep = kept.chunk(chunk);
          Reals gNorm = scratch.reals("gNorm", count * dim);
          Reals gLogits = FloatHead.part(shape, gy, first, count, scratch);
          Reals target = gx == null ? scratch.reals("gInput", count * stride) : gx;
          int from = gx == null ? 0 : first * stride;
          target.clear(from, count * stride);
          for (int h = 0; h < shape.heads().size(); h++) {
            Reals normed = keep.reals(FloatHead.normKey(h), 0);
            head.backward(run.gemm(), h, normed, gLogits, gNorm, sums, count, scratch);
            short[] input = keep.shorts(inputKey(h), 0);
            norm.backward(input, gNorm, target, from + h * dim, stride, sums, count, scratch);
          }
        });
  }
}
