package org.ivit.train.operator.integer;

import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.graph.NodeBuilder;
import org.ivit.core.graph.NodeNames;
import org.ivit.core.graph.Scheme;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Chunk;
import org.ivit.train.operator.Execution;
import org.ivit.train.operator.QuantizedOperator;
import org.ivit.train.operator.SeenRanges;
import org.ivit.train.parameter.EmbeddingShape;
import org.ivit.train.parameter.NormedEmbeddingShape;
import org.ivit.train.parameter.ParameterView;

/**
 * Patch embedding with a norm, in integers: normalised pixels [batch, 3, image, image] to
 * dequantized 16-bit codes [batch, patches, dim].
 */
public final class QuantizedNormedEmbedding extends QuantizedOperator {
  private final EmbeddingShape shape;
  private final Scheme scheme;
  private final QuantPixels pixels;
  private final QuantLinear proj;
  private final QuantNorm norm;
  private float inputScale;

  /**
   * @param shape sizes
   * @param scheme forms, widths, outlier channels
   */
  public QuantizedNormedEmbedding(EmbeddingShape shape, Scheme scheme) {
    super(NormedEmbeddingShape.parameters(shape), shape.patches());
    this.shape = shape;
    this.scheme = scheme;
    this.pixels = new QuantPixels(shape);
    this.proj =
        new QuantLinear(layout(), "", NodeNames.PATCH_PROJECTION, shape.inputs(), shape.dim());
    this.norm = new QuantNorm(layout(), "", NodeNames.PATCH_NORM, shape.dim());
    ranges()
        .add(NodeNames.INPUT, NodeNames.INPUT)
        .add(NodeNames.PATCH_PROJECTION, NodeNames.PATCH_PROJECTION)
        .add(NodeNames.PATCH_NORM, NodeNames.PATCH_NORM);
  }

  @Override
  public float outputScale(Reals weights) {
    return ranges().scale(weights, NodeNames.PATCH_NORM);
  }

  @Override
  protected void prepare(Reals weights, int batch, Execution run) {
    NodeBuilder nodes = new NodeBuilder(ParameterView.of(layout(), "", weights), scheme);
    inputScale = ranges().scale(weights, NodeNames.INPUT);
    float projScale = ranges().scale(weights, NodeNames.PATCH_PROJECTION);
    proj.prepare(
        nodes.linear(
            NodeNames.PATCH_PROJECTION,
            proj.quantize(nodes, inputScale),
            OutlierChannels.NONE,
            projScale),
        run.type());
    float normScale = ranges().scale(weights, NodeNames.PATCH_NORM);
    norm.prepare(nodes.norm(NodeNames.PATCH_NORM, normScale), weights, projScale);
  }

  @Override
  protected void forward(Reals weights, Reals x, Reals y, Chunk chunk, Execution run) {
    int first = chunk.first();
    int count = chunk.count();
    Buffers keep = chunk.keep();
    Buffers scratch = chunk.scratch();
    SeenRanges values = chunk.seen();
    int dim = shape.dim();
    int rows = count * shape.patches();
    int perPicture = shape.patches() * shape.inputs();
    Reals columns = keep.reals("patches", rows * shape.inputs());
    for (int i = 0; i < count; i++) {
      int from = (first + i) * shape.pixels();
      pixels.unfold(x, from, inputScale, columns, i * perPicture, scratch, values);
    }
    byte[] codes = scratch.bytes("projected", rows * dim);
    proj.forward(run.gemm(), columns, null, codes, rows, OutlierChannels.NONE, values, scratch);
    short[] projected = keep.shorts("projected", rows * dim);
    Codes.widen(codes, projected, rows * dim);
    short[] out = scratch.shorts("output", rows * dim);
    norm.forward(projected, out, rows, values, scratch);
    int at = first * shape.patches() * dim;
    Codes.dequantize(out, rows * dim, norm.node().outputScale(), y, at, scratch);
  }

  /** The gradient by the pixels is not computed: {@code gx} must be null. */
  @Override
  protected void backward(
      Reals weights, Reals x, Reals gy, Reals gx, Reals gradients, Chunk chunk, Execution run) {
    shape.requireNoGradient(gx);
    int first = chunk.first();
    int count = chunk.count();
    Buffers keep = chunk.keep();
    Buffers scratch = chunk.scratch();
    int dim = shape.dim();
    int rows = count * shape.patches();
    Reals gNormed = scratch.reals("gNormed", rows * dim);
    gNormed.put(0, gy, first * shape.patches() * dim, rows * dim);
    Reals gProjected = scratch.reals("gProjected", rows * dim);
    gProjected.clear(0, rows * dim);
    short[] projected = keep.shorts("projected", 0);
    norm.backward(projected, gNormed, gProjected, 0, dim, gradients, rows, scratch);
    Reals columns = keep.reals("patches", 0);
    proj.backward(run.gemm(), columns, gProjected, 0, null, gradients, rows, scratch);
  }
}
