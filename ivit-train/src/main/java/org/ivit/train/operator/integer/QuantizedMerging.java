package org.ivit.train.operator.integer;

import java.util.SortedMap;
import org.ivit.core.architecture.Swin;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.graph.IntegerMerging;
import org.ivit.core.graph.NodeBuilder;
import org.ivit.core.graph.Range;
import org.ivit.core.graph.Scheme;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.RealType;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Execution;
import org.ivit.train.operator.KeptBuffers;
import org.ivit.train.operator.QuantizedOperator;
import org.ivit.train.operator.RangeMode;
import org.ivit.train.operator.SeenInChunks;
import org.ivit.train.operator.SeenRanges;
import org.ivit.train.parameter.MergingShape;
import org.ivit.train.parameter.NodeRanges;
import org.ivit.train.parameter.ParameterLayout;
import org.ivit.train.parameter.ParameterView;
import org.ivit.train.parameter.RowOrder;

/**
 * Patch merging in integers: dequantized 16-bit codes [batch, tokens, dim] to dequantized 8-bit
 * codes [batch, tokens/4, 2·dim].
 */
public final class QuantizedMerging implements QuantizedOperator {
  private static final String INPUT = "input";

  private final Swin.Stage stage;
  private final String prefix;
  private final Scheme scheme;
  private final ParameterLayout layout;
  private final NodeRanges ranges;
  private final RowOrder order;
  private final QuantNorm norm;
  private final QuantLinear reduction;
  private final KeptBuffers kept = new KeptBuffers();
  private final SeenInChunks seen = new SeenInChunks();
  private float inputScale;

  /**
   * @param stage the stage that it follows
   * @param inputNode full name of the node that feeds it
   * @param scheme forms, widths, outlier channels
   */
  public QuantizedMerging(Swin.Stage stage, String inputNode, Scheme scheme) {
    this.stage = stage;
    this.prefix = stage.downsample();
    this.scheme = scheme;
    this.layout = MergingShape.parameters(stage);
    this.order = MergingShape.order(stage);
    this.norm = new QuantNorm(layout, prefix, MergingShape.NORM, 4 * stage.dim());
    this.reduction =
        new QuantLinear(layout, prefix, MergingShape.REDUCTION, 4 * stage.dim(), 2 * stage.dim());
    this.ranges =
        new NodeRanges(layout)
            .add(INPUT, inputNode)
            .add(MergingShape.NORM, stage.mergeNorm())
            .add(MergingShape.REDUCTION, stage.reduction());
  }

  @Override
  public ParameterLayout layout() {
    return layout;
  }

  @Override
  public SortedMap<String, String> rangeNodes() {
    return ranges.keys();
  }

  @Override
  public float outputScale(Reals weights) {
    return ranges.scale(weights, MergingShape.REDUCTION);
  }

  @Override
  public SortedMap<String, Range> seenRanges() {
    return seen.all();
  }

  @Override
  public void forward(Reals weights, Reals x, Reals y, int batch, boolean training, Execution run) {
    prepare(weights, run.type());
    int chunks = run.chunks(batch, stage.tokens());
    if (training) {
      kept.begin(batch, chunks, run.type());
    }
    seen.begin(training && run.rangeMode() == RangeMode.LAGGED ? chunks : 0);
    run.forEachChunk(
        batch,
        stage.tokens(),
        (chunk, first, count, part) -> {
          Buffers scratch = run.scratch(part);
          Buffers keep = training ? kept.chunk(chunk) : scratch;
          forward(x, y, first, count, run, keep, scratch, seen.chunk(chunk));
        });
  }

  private void prepare(Reals weights, RealType type) {
    NodeBuilder nodes = new NodeBuilder(ParameterView.of(layout, prefix, weights), scheme);
    inputScale = ranges.scale(weights, INPUT);
    float normScale = ranges.scale(weights, MergingShape.NORM);
    IntegerMerging built =
        nodes.merging(
            stage,
            node -> ranges.scale(weights, node.substring(prefix.length())),
            reduction.quantize(nodes, normScale));
    norm.prepare(built.norm(), weights, inputScale);
    reduction.prepare(built.reduction(), type);
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
    int dim = stage.dim();
    int size = count * stage.tokens() * dim;
    int rows = count * stage.tokens() / 4;
    short[] tokens = scratch.shorts("tokens", size);
    Codes.recover(x, first * stage.tokens() * dim, inputScale, tokens, size, scratch);
    short[] merged = keep.shorts("merged", size);
    order.apply(tokens, merged, count, dim);
    byte[] codes = scratch.bytes("codes", size);
    norm.forward(merged, codes, rows, values, scratch);
    Reals normed = keep.reals("norm", size);
    Codes.widen(codes, rows, 4 * dim, scheme.outliers(stage.mergeNorm()), normed);
    reduction.forward(run.gemm(), normed, null, codes, rows, OutlierChannels.NONE, values, scratch);
    short[] out = scratch.shorts("output", size / 2);
    Codes.widen(codes, out, size / 2);
    float scale = reduction.node().outputScale();
    Codes.dequantize(out, size / 2, scale, y, first * stage.tokens() / 2 * dim, scratch);
  }

  @Override
  public void backward(
      Reals weights, Reals x, Reals gy, Reals gx, Reals gradients, int batch, Execution run) {
    kept.check(batch);
    int dim = stage.dim();
    int tokens = stage.tokens();
    run.forEachChunkWithGradients(
        batch,
        tokens,
        layout.size(),
        gradients,
        (chunk, first, count, part, sums) -> {
          Buffers scratch = run.scratch(part);
          Buffers keep = kept.chunk(chunk);
          int rows = count * tokens / 4;
          int from = first * tokens / 2 * dim;
          Reals gNorm = scratch.reals("gNorm", rows * 4 * dim);
          Reals normed = keep.reals("norm", 0);
          reduction.backward(run.gemm(), normed, gy, from, gNorm, sums, rows, scratch);
          Reals gMerged = scratch.reals("gMerged", rows * 4 * dim);
          gMerged.clear(0, rows * 4 * dim);
          short[] merged = keep.shorts("merged", 0);
          norm.backward(merged, gNorm, gMerged, 0, 4 * dim, sums, rows, scratch);
          if (gx != null) {
            order.undo(gMerged, gx, first * tokens * dim, count, dim);
          }
        });
  }
}
