package org.ivit.train.operator.integer;

import org.ivit.core.architecture.Node;
import org.ivit.core.architecture.Stem;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.graph.LayerNorm;
import org.ivit.core.graph.Linear;
import org.ivit.core.graph.NodeBuilder;
import org.ivit.core.scheme.NodeScales;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Chunk;
import org.ivit.train.operator.Execution;
import org.ivit.train.operator.PatchRows;
import org.ivit.train.operator.SeenRanges;
import org.ivit.train.parameter.PartSpec;

/**
 * Patch embedding with a norm, in integers: normalised pixels [batch, 3, image, image] to
 * dequantized 16-bit codes [batch, patches, dim].
 */
public final class QuantizedNormedEmbedding extends QuantizedPartOperator {
  private final Stem shape;
  private final QuantPixels pixels;
  private final QuantLinear proj;
  private final QuantNorm norm;
  private float inputScale;

  /**
   * @param spec of the stem
   * @param shape sizes
   * @param scheme forms, widths, outlier channels
   */
  public QuantizedNormedEmbedding(PartSpec spec, Stem shape, Scheme scheme) {
    super(spec, shape.patches(), scheme);
    this.shape = shape;
    this.pixels = new QuantPixels(shape);
    this.proj = new QuantLinear(spec.prefix(), layout(), shape.projection());
    this.norm = new QuantNorm(spec.prefix(), layout(), shape.output(), shape.dim());
  }

  @Override
  protected void prepare(Reals weights, int batch, Execution run) {
    NodeBuilder nodes = nodes(weights);
    NodeScales scales = scales(weights);
    inputScale = scales.of(Node.INPUT);
    Linear projection = proj.prepare(nodes, scales, run.type());
    LayerNorm built = nodes.norm(shape.output(), scales.of(shape.output()));
    norm.prepare(built, weights, projection.outputScale());
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
    int perPicture = shape.patches() * shape.patchInputs();
    Reals columns = keep.reals("patches", rows * shape.patchInputs());
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
    PatchRows.requireNoGradient(gx);
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
