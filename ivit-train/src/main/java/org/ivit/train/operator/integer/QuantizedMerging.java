package org.ivit.train.operator.integer;

import java.util.List;
import org.ivit.core.architecture.Merging;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.graph.build.NodeBuilder;
import org.ivit.core.scheme.NodeScales;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Chunk;
import org.ivit.train.operator.Execution;
import org.ivit.train.operator.SeenRanges;
import org.ivit.train.parameter.PartSpec;
import org.ivit.train.parameter.RowOrder;

/**
 * Patch merging in integers: dequantized 16-bit codes [batch, tokens, dim] to dequantized 8-bit
 * codes [batch, tokens/4, 2·dim].
 */
public final class QuantizedMerging extends QuantizedPartOperator {
  private final Merging stage;
  private final RowOrder order;
  private final QuantNorm norm;
  private final QuantLinear reduction;
  private float inputScale;

  /**
   * @param spec of the merging
   * @param stage name and sizes
   * @param scheme forms, widths, outlier channels
   */
  public QuantizedMerging(PartSpec spec, Merging stage, Scheme scheme) {
    super(spec, stage.tokens(), scheme);
    this.stage = stage;
    this.order = new RowOrder(stage.order());
    this.norm = new QuantNorm(spec.prefix(), layout(), stage.norm(), stage.mergedDim());
    this.reduction = new QuantLinear(spec.prefix(), layout(), stage.reduction());
  }

  @Override
  List<QuantLinear> linears() {
    return List.of(reduction);
  }

  @Override
  protected void prepare(Reals weights, int batch, Execution run) {
    NodeBuilder nodes = nodes(weights);
    NodeScales scales = scales(weights);
    inputScale = inputScale(weights);
    norm.prepare(
        nodes.norm(stage.norm(), stage.epsilon(), inputScale, scales.of(stage.norm())),
        weights,
        inputScale);
    reduction.prepare(nodes, scales, run.type());
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
    Codes.widen(codes, rows, 4 * dim, scheme.outliers(stage.norm()), normed);
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
