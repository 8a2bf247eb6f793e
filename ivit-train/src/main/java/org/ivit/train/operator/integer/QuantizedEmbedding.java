package org.ivit.train.operator.integer;

import java.util.SortedMap;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.graph.Embed;
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
import org.ivit.train.operator.floating.FloatEmbedding;
import org.ivit.train.parameter.EmbeddingShape;
import org.ivit.train.parameter.NodeRanges;
import org.ivit.train.parameter.ParameterLayout;
import org.ivit.train.parameter.ParameterView;

/**
 * Patch embedding in integers: normalised pixels [batch, 3, image, image] to dequantized 16-bit
 * codes [batch, tokens, dim], leading tokens first.
 */
public final class QuantizedEmbedding implements QuantizedOperator {
  private final EmbeddingShape shape;
  private final Scheme scheme;
  private final ParameterLayout layout;
  private final NodeRanges ranges;
  private final QuantPixels pixels;
  private final QuantLinear proj;
  private final KeptBuffers kept = new KeptBuffers();
  private final SeenInChunks seen = new SeenInChunks();
  private float inputScale;
  private Embed embed;

  /**
   * @param shape sizes
   * @param scheme forms, widths, outlier channels
   */
  public QuantizedEmbedding(EmbeddingShape shape, Scheme scheme) {
    this.shape = shape;
    this.scheme = scheme;
    this.layout = shape.parameters();
    this.pixels = new QuantPixels(shape);
    this.proj = new QuantLinear(layout, "", "patch_embed.proj", shape.inputs(), shape.dim());
    this.ranges =
        new NodeRanges(layout)
            .add(NodeNames.INPUT, NodeNames.INPUT)
            .add(NodeNames.PATCH_EMBED, NodeNames.PATCH_EMBED)
            .add(NodeNames.EMBED, NodeNames.EMBED);
  }

  @Override
  public ParameterLayout layout() {
    return layout;
  }

  @Override
  public float outputScale(Reals weights) {
    return ranges.scale(weights, NodeNames.EMBED);
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
    int chunks = run.chunks(batch, shape.tokens());
    if (training) {
      kept.begin(batch, chunks, run.type());
    }
    seen.begin(training && run.rangeMode() == RangeMode.LAGGED ? chunks : 0);
    run.forEachChunk(
        batch,
        shape.tokens(),
        (chunk, first, count, part) -> {
          Buffers scratch = run.scratch(part);
          Buffers keep = training ? kept.chunk(chunk) : scratch;
          forward(x, y, first, count, run, keep, scratch, seen.chunk(chunk));
        });
  }

  private void prepare(Reals weights, RealType type) {
    NodeBuilder nodes = new NodeBuilder(ParameterView.of(layout, "", weights), scheme);
    inputScale = ranges.scale(weights, NodeNames.INPUT);
    float patchScale = ranges.scale(weights, NodeNames.PATCH_EMBED);
    proj.prepare(
        nodes.linear(
            NodeNames.PATCH_EMBED,
            proj.quantize(nodes, inputScale),
            OutlierChannels.NONE,
            patchScale),
        type);
    embed = nodes.embed(shape.leading(), patchScale, ranges.scale(weights, NodeNames.EMBED));
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
    int inputs = shape.inputs();
    int patches = shape.patches();
    int tokens = shape.tokens();
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
    values.include(NodeNames.EMBED, min, max);
  }

  /** The gradient by the pixels is not computed: {@code gx} must be null. */
  @Override
  public void backward(
      Reals weights, Reals x, Reals gy, Reals gx, Reals gradients, int batch, Execution run) {
    if (gx != null) {
      throw new IllegalArgumentException("the patch embedding has no gradient by its pixels");
    }
    kept.check(batch);
    run.forEachChunkWithGradients(
        batch,
        shape.tokens(),
        layout.size(),
        gradients,
        (chunk, first, count, part, sums) -> {
          Buffers scratch = run.scratch(part);
          Reals gEmbedded = scratch.reals("embedded", count * shape.patches() * shape.dim());
          FloatEmbedding.splitGradient(shape, layout, gy, first, count, gEmbedded, sums, scratch);
          proj.backward(
              run.gemm(),
              kept.chunk(chunk).reals("patches", 0),
              gEmbedded,
              0,
              null,
              sums,
              count * shape.patches(),
              scratch);
        });
  }
}
