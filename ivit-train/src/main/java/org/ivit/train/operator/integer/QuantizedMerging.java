package org.ivit.train.operator.integer;

import org.ivit.core.architecture.Swin;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.graph.IntegerMerging;
import org.ivit.core.graph.NodeBuilder;
import org.ivit.core.graph.Scheme;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Chunk;
import org.ivit.train.operator.Execution;
import org.ivit.train.operator.QuantizedOperator;
import org.ivit.train.operator.SeenRanges;
import org.ivit.train.parameter.MergingShape;
import org.ivit.train.parameter.ParameterView;
import org.ivit.train.parameter.RowOrder;

/**
 * Patch merging in integers: dequantized 16-bit codes [batch, tokens, dim] to dequantized 8-bit
 * codes [batch, tokens/4, 2·dim].
 */
public final class QuantizedMerging extends QuantizedOperator {
  private static final String INPUT = "input";

  private final Swin.Stage stage;
  private final String prefix;
  private final Scheme scheme;
  private final RowOrder order;
  private final QuantNorm norm;
  private final QuantLinear reduction;
  private float inputScale;

  /**
   * @param stage the stage that it follows
   * @param inputNode full name of the node that feeds it
   * @param scheme forms, widths, outlier channels
   */
  public QuantizedMerging(Swin.Stage stage, String inputNode, Scheme scheme) {
    super(MergingShape.parameters(stage), stage.tokens());
    this.stage = stage;
    this.prefix = stage.downsample();
    this.scheme = scheme;
    this.order = MergingShape.order(stage);
    this.norm = new QuantNorm(layout(), prefix, MergingShape.NORM, 4 * stage.dim());
    this.reduction =
        new QuantLinear(layout(), prefix, MergingShape.REDUCTION, 4 * stage.dim(), 2 * stage.dim());
    ranges()
        .add(INPUT, inputNode)
        .add(MergingShape.NORM, stage.mergeNorm())
        .add(MergingShape.REDUCTION, stage.reduction());
  }

  @Override
  public float outputScale(Reals weights) {
    return ranges().scale(weights, MergingShape.REDUCTION);
  }

  @Override
  protected void prepare(Reals weights, int batch, Execution run) {
    NodeBuilder nodes = new NodeBuilder(ParameterView.of(layout(), prefix, weights), scheme);
    inputScale = ranges().scale(weights, INPUT);
    float normScale = ranges().scale(weights, MergingShape.NORM);
    IntegerMerging built =
        nodes.merging(
            stage,
            node -> ranges().scale(weights, node.substring(prefix.length())),
            reduction.quantize(nodes, normScale));
    norm.prepare(built.norm(), weights, inputScale);
    reduction.prepare(built.reduction(), run.type());
  }

  @Override
  protected void forward(Reals weights, Reals x, Reals y, Chunk chunk, Execution run) {
    int first = chunk.first();
    int count = chunk.count();
    Buffers keep = chunk.keep();
    Buffers scratch = chunk.scratch();
    SeenRanges values = chunk.seen();
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
  protected void backward(
      Reals weights, Reals x, Reals gy, Reals gx, Reals gradients, Chunk chunk, Execution run) {
    int first = chunk.first();
    int count = chunk.count();
    Buffers keep = chunk.keep();
    Buffers scratch = chunk.scratch();
    int dim = stage.dim();
    int tokens = stage.tokens();
    int rows = count * tokens / 4;
    int from = first * tokens / 2 * dim;
    Reals gNorm = scratch.reals("gNorm", rows * 4 * dim);
    Reals normed = keep.reals("norm", 0);
    reduction.backward(run.gemm(), normed, gy, from, gNorm, gradients, rows, scratch);
    Reals gMerged = scratch.reals("gMerged", rows * 4 * dim);
    gMerged.clear(0, rows * 4 * dim);
    short[] merged = keep.shorts("merged", 0);
    norm.backward(merged, gNorm, gMerged, 0, 4 * dim, gradients, rows, scratch);
    if (gx != null) {
      order.undo(gMerged, gx, first * tokens * dim, count, dim);
    }
  }
}
