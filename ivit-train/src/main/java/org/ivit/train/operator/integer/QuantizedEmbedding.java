package org.ivit.train.operator.integer;

import org.ivit.core.architecture.Node;
import org.ivit.core.architecture.Stem;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.graph.Embed;
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
import org.ivit.train.operator.floating.FloatEmbedding;
import org.ivit.train.parameter.PartSpec;

/**
 * Patch embedding in integers: normalised pixels [batch, 3, image, image] to dequantized 16-bit
 * codes [batch, tokens, dim], leading tokens first.
 */
public final class QuantizedEmbedding extends QuantizedPartOperator {
  private final Stem shape;
  private final QuantPixels pixels;
  private final QuantLinear proj;
  private float inputScale;
  private Embed embed;

  /**
   * @param spec of the stem
   * @param shape sizes
   * @param scheme forms, widths, outlier channels
   */
  public QuantizedEmbedding(PartSpec spec, Stem shape, Scheme scheme) {
    super(spec, shape.outputTokens(), scheme);
    this.shape = shape;
    this.pixels = new QuantPixels(shape);
    this.proj = new QuantLinear(spec.prefix(), layout(), shape.projection());
  }

  @Override
  protected void prepare(Reals weights, int batch, Execution run) {
    NodeBuilder nodes = nodes(weights);
    NodeScales scales = scales(weights);
    inputScale = scales.of(Node.INPUT);
    Linear projection = proj.prepare(nodes, scales, run.type());
    embed = nodes.embed(shape, projection.outputScale(), scales.of(shape.output()));
  }

  @Override
  protected void forward(Reals weights, Reals x, Reals y, Chunk chunk, Execution run) {
    int first = chunk.first();
    int count = chunk.count();
    Buffers keep = chunk.keep();
    Buffers scratch = chunk.scratch();
    SeenRanges values = chunk.seen();
    int dim = shape.dim();
    int inputs = shape.patchInputs();
    int patches = shape.patches();
    int tokens = shape.outputTokens();
    Reals columns = keep.reals("patches", count * patches * inputs);
    for (int i = 0; i < count; i++) {
      int at = i * patches * inputs;
      pixels.unfold(x, (first + i) * shape.pixels(), inputScale, columns, at, scratch, values);
    }
    int rows = count * patches;
    short[] projected = scratch.shorts("projected", rows * dim);
    proj.forward(run.gemm(), columns, null, projected, rows, OutlierChannels.NONE, values, scratch);
    short[] out = scratch.shorts("output", count * tokens * dim);
    for (int i = 0; i < count; i++) {
      join(projected, i * patches * dim, out, i * tokens * dim);
      if (values != null) {
        observe(projected, i * patches * dim, values);
      }
    }
    Codes.dequantize(
        out, count * tokens * dim, embed.sum().outputScale(), y, first * tokens * dim, scratch);
  }

  private void join(short[] projected, int from, short[] out, int at) {
    int[] leading = embed.leading();
    short[] position = embed.position();
    for (int i = 0; i < position.length; i++) {
      int z = i < leading.length ? leading[i] : projected[from + i - leading.length];
      out[at + i] = embed.sum().add(z, position[i]);
    }
  }

  private void observe(short[] projected, int from, SeenRanges values) {
    int[] leading = embed.leading();
    double patchScale = proj.node().outputScale();
    double positionScale = embed.positionScale();
    short[] position = embed.position();
    double min = Double.POSITIVE_INFINITY;
    double max = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < position.length; i++) {
      int z = i < leading.length ? leading[i] : projected[from + i - leading.length];
      double value = z * patchScale + position[i] * positionScale;
      min = Math.min(min, value);
      max = Math.max(max, value);
    }
    values.include(shape.output().name(), min, max);
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
    Reals gEmbedded = scratch.reals("embedded", count * shape.patches() * shape.dim());
    FloatEmbedding.splitGradient(shape, layout(), gy, first, count, gEmbedded, gradients, scratch);
    proj.backward(
        run.gemm(),
        keep.reals("patches", 0),
        gEmbedded,
        0,
        null,
        gradients,
        count * shape.patches(),
        scratch);
  }
}
