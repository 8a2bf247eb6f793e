package org.ivit.train.operator.integer;

import java.util.List;
import org.ivit.core.architecture.Node;
import org.ivit.core.architecture.Stem;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.graph.Embed;
import org.ivit.core.graph.LayerNorm;
import org.ivit.core.graph.Linear;
import org.ivit.core.graph.build.NodeBuilder;
import org.ivit.core.scheme.NodeScales;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.Gemm;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Chunk;
import org.ivit.train.operator.Execution;
import org.ivit.train.operator.PatchRows;
import org.ivit.train.operator.SeenRanges;
import org.ivit.train.operator.floating.FloatStem;
import org.ivit.train.parameter.PartSpec;

/**
 * Patch embedding in integers: normalised pixels [batch, 3, image, image] to dequantized 16-bit
 * codes [batch, tokens, dim], either with leading tokens first and positions added, or with a norm.
 */
public final class QuantizedStem extends QuantizedPartOperator {
  private final Stem shape;
  private final QuantPixels pixels;
  private final QuantLinear proj;

  /** Null where there is no norm. */
  private final QuantNorm norm;

  private float inputScale;
  private Embed embed;

  /**
   * @param spec of the stem
   * @param shape sizes
   * @param scheme forms, widths, outlier channels
   */
  public QuantizedStem(PartSpec spec, Stem shape, Scheme scheme) {
    super(spec, shape.outputTokens(), scheme);
    this.shape = shape;
    this.pixels = new QuantPixels(shape);
    this.proj = new QuantLinear(spec.prefix(), layout(), shape.projection());
    this.norm =
        shape.normed() ? new QuantNorm(spec.prefix(), layout(), shape.output(), shape.dim()) : null;
  }

  @Override
  List<QuantLinear> linears() {
    return List.of(proj);
  }

  @Override
  protected void prepare(Reals weights, int batch, Execution run) {
    NodeBuilder nodes = nodes(weights);
    NodeScales scales = scales(weights);
    inputScale = scales.of(Node.INPUT);
    Linear projection = proj.prepare(nodes, scales, run.type());
    float outputScale = scales.of(shape.output());
    if (norm == null) {
      embed = nodes.embed(shape, projection.outputScale(), outputScale);
    } else {
      LayerNorm built =
          nodes.norm(shape.output(), shape.epsilon(), projection.outputScale(), outputScale);
      norm.prepare(built, weights, projection.outputScale());
    }
  }

  @Override
  protected void forward(Reals weights, Reals x, Reals y, Chunk chunk, Execution run) {
    int count = chunk.count();
    Buffers scratch = chunk.scratch();
    int perPicture = shape.patches() * shape.patchInputs();
    Reals columns = chunk.keep().reals("patches", count * perPicture);
    for (int i = 0; i < count; i++) {
      int from = (chunk.first() + i) * shape.pixels();
      pixels.unfold(x, from, inputScale, columns, i * perPicture, scratch, chunk.seen());
    }
    int size = shape.outputTokens() * shape.dim();
    short[] out = scratch.shorts("output", count * size);
    float scale;
    if (norm == null) {
      embed(run.gemm(), columns, out, chunk);
      scale = embed.sum().outputScale();
    } else {
      normalise(run.gemm(), columns, out, chunk);
      scale = norm.node().outputScale();
    }
    Codes.dequantize(out, count * size, scale, y, chunk.first() * size, scratch);
  }

  private void embed(Gemm gemm, Reals columns, short[] out, Chunk chunk) {
    SeenRanges values = chunk.seen();
    Buffers scratch = chunk.scratch();
    int rows = chunk.count() * shape.patches();
    int dim = shape.dim();
    short[] projected = scratch.shorts("projected", rows * dim);
    proj.forward(gemm, columns, null, projected, rows, OutlierChannels.NONE, values, scratch);
    for (int i = 0; i < chunk.count(); i++) {
      join(projected, i * shape.patches() * dim, out, i * shape.outputTokens() * dim);
      if (values != null) {
        observe(projected, i * shape.patches() * dim, values);
      }
    }
  }

  private void normalise(Gemm gemm, Reals columns, short[] out, Chunk chunk) {
    SeenRanges values = chunk.seen();
    Buffers scratch = chunk.scratch();
    int rows = chunk.count() * shape.patches();
    int size = rows * shape.dim();
    byte[] codes = scratch.bytes("projected", size);
    proj.forward(gemm, columns, null, codes, rows, OutlierChannels.NONE, values, scratch);
    short[] projected = chunk.keep().shorts("projected", size);
    Codes.widen(codes, projected, size);
    norm.forward(projected, out, rows, values, scratch);
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
    Buffers keep = chunk.keep();
    Buffers scratch = chunk.scratch();
    int dim = shape.dim();
    int rows = chunk.count() * shape.patches();
    Reals gProjected = scratch.reals("gProjected", rows * dim);
    if (norm == null) {
      FloatStem.splitGradient(shape, layout(), gy, gProjected, gradients, chunk);
    } else {
      Reals gNormed = scratch.reals("gNormed", rows * dim);
      gNormed.put(0, gy, chunk.first() * shape.patches() * dim, rows * dim);
      gProjected.clear(0, rows * dim);
      short[] projected = keep.shorts("projected", 0);
      norm.backward(projected, gNormed, gProjected, 0, dim, gradients, rows, scratch);
    }
    Reals columns = keep.reals("patches", 0);
    proj.backward(run.gemm(), columns, gProjected, 0, null, gradients, rows, scratch);
  }
}
