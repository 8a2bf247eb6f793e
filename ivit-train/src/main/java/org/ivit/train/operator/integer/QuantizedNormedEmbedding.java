package org.ivit.train.operator.integer;

import java.util.SortedMap;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.graph.NodeBuilder;
import org.ivit.core.graph.NodeNames;
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
import org.ivit.train.parameter.EmbeddingShape;
import org.ivit.train.parameter.NodeRanges;
import org.ivit.train.parameter.NormedEmbeddingShape;
import org.ivit.train.parameter.ParameterLayout;
import org.ivit.train.parameter.ParameterView;

/**
 * Patch embedding with a norm, in integers: normalised pixels [batch, 3, image, image] to
 * dequantized 16-bit codes [batch, patches, dim].
 */
public final class QuantizedNormedEmbedding implements QuantizedOperator {
  private final EmbeddingShape shape;
  private final Scheme scheme;
  private final ParameterLayout layout;
  private final NodeRanges ranges;
  private final QuantPixels pixels;
  private final QuantLinear proj;
  private final QuantNorm norm;
  private final KeptBuffers kept = new KeptBuffers();
  private final SeenInChunks seen = new SeenInChunks();
  private float inputScale;

  /**
   * @param shape sizes
   * @param scheme forms, widths, outlier channels
   */
  public QuantizedNormedEmbedding(EmbeddingShape shape, Scheme scheme) {
    this.shape = shape;
    this.scheme = scheme;
    this.layout = NormedEmbeddingShape.parameters(shape);
    this.pixels = new QuantPixels(shape);
    this.proj =
        new QuantLinear(layout, "", NodeNames.PATCH_PROJECTION, shape.inputs(), shape.dim());
    this.norm = new QuantNorm(layout, "", NodeNames.PATCH_NORM, shape.dim());
    this.ranges =
        new NodeRanges(layout)
            .add(NodeNames.INPUT, NodeNames.INPUT)
            .add(NodeNames.PATCH_PROJECTION, NodeNames.PATCH_PROJECTION)
            .add(NodeNames.PATCH_NORM, NodeNames.PATCH_NORM);
  }

  @Override
  public ParameterLayout layout() {
    return layout;
  }

  @Override
  public float outputScale(Reals weights) {
    return ranges.scale(weights, NodeNames.PATCH_NORM);
  }

  @Override
  public SortedMap<String, String> rangeNodes() {
    return ranges.keys();
  }

  @Override
  public SortedMap<String, Range> seenRanges() {
    return seen.all();
  }

  @Override
  public void forward(Reals weights, Reals x, Reals y, int batch, boolean training, Execution run) {
    prepare(weights, run.type());
    int chunks = run.chunks(batch, shape.patches());
    if (training) {
      kept.begin(batch, chunks, run.type());
    }
    seen.begin(training && run.rangeMode() == RangeMode.LAGGED ? chunks : 0);
    run.forEachChunk(
        batch,
        shape.patches(),
        (chunk, first, count, part) -> {
          Buffers scratch = run.scratch(part);
          Buffers keep = training ? kept.chunk(chunk) : scratch;
          forward(x, y, first, count, run, keep, scratch, seen.chunk(chunk));
        });
  }

  private void prepare(Reals weights, RealType type) {
    NodeBuilder nodes = new NodeBuilder(ParameterView.of(layout, "", weights), scheme);
    inputScale = ranges.scale(weights, NodeNames.INPUT);
    float projScale = ranges.scale(weights, NodeNames.PATCH_PROJECTION);
    proj.prepare(
        nodes.linear(
            NodeNames.PATCH_PROJECTION,
            proj.quantize(nodes, inputScale),
            OutlierChannels.NONE,
            projScale),
        type);
    float normScale = ranges.scale(weights, NodeNames.PATCH_NORM);
    norm.prepare(nodes.norm(NodeNames.PATCH_NORM, normScale), weights, projScale);
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
  public void backward(
      Reals weights, Reals x, Reals gy, Reals gx, Reals gradients, int batch, Execution run) {
    if (gx != null) {
      throw new IllegalArgumentException("the patch embedding has no gradient by its pixels");
    }
    kept.check(batch);
    int dim = shape.dim();
    run.forEachChunkWithGradients(
        batch,
        shape.patches(),
        layout.size(),
        gradients,
        (chunk, first, count, part, sums) -> {
          Buffers scratch = run.scratch(part);
          Buffers keep = kept.chunk(chunk);
          int rows = count * shape.patches();
          Reals gNormed = scratch.reals("gNormed", rows * dim);
          gNormed.put(0, gy, first * shape.patches() * dim, rows * dim);
          Reals gProjected = scratch.reals("gProjected", rows * dim);
          gProjected.clear(0, rows * dim);
          short[] projected = keep.shorts("projected", 0);
          norm.backward(projected, gNormed, gProjected, 0, dim, sums, rows, scratch);
          Reals columns = keep.reals("patches", 0);
          proj.backward(run.gemm(), columns, gProjected, 0, null, sums, rows, scratch);
        });
  }
}
