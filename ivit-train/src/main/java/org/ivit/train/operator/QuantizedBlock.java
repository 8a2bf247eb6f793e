package org.ivit.train.operator;

import java.util.List;
import java.util.SortedMap;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.graph.Attention;
import org.ivit.core.graph.Gelu;
import org.ivit.core.graph.NodeBuilder;
import org.ivit.core.graph.NodeNames;
import org.ivit.core.graph.Range;
import org.ivit.core.graph.Scheme;

/**
 * A transformer block in integers, with straight-through gradients, §11. Input and output are
 * dequantized 16-bit codes, [batch, tokens, dim].
 */
public final class QuantizedBlock implements QuantizedOperator {
  private static final String INPUT = "input";

  private final BlockShape shape;
  private final String prefix;
  private final Scheme scheme;
  private final ParameterLayout layout;
  private final NodeRanges ranges;
  private final QuantNorm norm1;
  private final QuantLinear qkv;
  private final QuantAttention attention;
  private final QuantLinear proj;
  private final QuantResidual residual1;
  private final QuantNorm norm2;
  private final QuantLinear fc1;
  private final QuantGelu gelu;
  private final QuantLinear fc2;
  private final QuantResidual residual2;
  private final KeptBuffers kept = new KeptBuffers();
  private final SeenInChunks seen = new SeenInChunks();
  private float inputScale;

  /**
   * @param shape sizes
   * @param prefix of full node and parameter names, such as {@code blocks.0.}
   * @param inputNode full name of the node that feeds the block
   * @param scheme forms, widths, outlier channels
   * @param drop1 stochastic depth of the attention branch
   * @param drop2 stochastic depth of the MLP branch
   */
  public QuantizedBlock(
      BlockShape shape,
      String prefix,
      String inputNode,
      Scheme scheme,
      DropPath drop1,
      DropPath drop2) {
    this.shape = shape;
    this.prefix = prefix;
    this.scheme = scheme;
    this.layout = shape.parameters();
    int dim = shape.dim();
    this.norm1 = new QuantNorm(layout, prefix, "norm1", dim);
    this.qkv = new QuantLinear(layout, prefix, "attn.qkv", dim, 3 * dim);
    this.attention = new QuantAttention(prefix + "attn", shape);
    this.proj = new QuantLinear(layout, prefix, "attn.proj", dim, dim);
    this.residual1 = new QuantResidual(prefix + "residual1", drop1);
    this.norm2 = new QuantNorm(layout, prefix, "norm2", dim);
    this.fc1 = new QuantLinear(layout, prefix, "mlp.fc1", dim, shape.hidden());
    this.gelu = new QuantGelu(prefix + "mlp.act", shape.hidden());
    this.fc2 = new QuantLinear(layout, prefix, "mlp.fc2", shape.hidden(), dim);
    this.residual2 = new QuantResidual(prefix + "residual2", drop2);
    this.ranges = new NodeRanges(layout).add(INPUT, inputNode);
    NodeNames.BLOCK.forEach(node -> ranges.add(node, prefix + node));
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
    return ranges.scale(weights, "residual2");
  }

  @Override
  public SortedMap<String, Range> seenRanges() {
    return seen.all();
  }

  @Override
  public void forward(Reals weights, Reals x, Reals y, int batch, boolean training, Execution run) {
    prepare(weights, run);
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
          forward(x, y, first, count, training, run, keep, scratch, seen.chunk(chunk));
        });
  }

  /** Weights are quantized on all threads: alone, one would need a tenth of the pass for it. */
  private void prepare(Reals weights, Execution run) {
    RealType type = run.type();
    NodeBuilder nodes = new NodeBuilder(ParameterView.of(layout, prefix, weights), scheme);
    inputScale = ranges.scale(weights, INPUT);
    float norm1Scale = ranges.scale(weights, "norm1");
    norm1.prepare(nodes.norm(prefix + "norm1", norm1Scale), weights, inputScale);
    float qkvScale = ranges.scale(weights, "attn.qkv");
    float contextScale = ranges.scale(weights, "attn.context");
    attention.prepare(
        Attention.of(
            prefix + "attn",
            shape.heads(),
            shape.headDim(),
            shape.tokens(),
            scheme.softmax(),
            scheme.attentionBits(),
            qkvScale,
            ranges.scale(weights, "attn.scores"),
            contextScale,
            outliers("attn.context")),
        qkvScale);
    float projScale = ranges.scale(weights, "attn.proj");
    float residual1Scale = ranges.scale(weights, "residual1");
    residual1.prepare(projScale, inputScale, residual1Scale);
    float norm2Scale = ranges.scale(weights, "norm2");
    norm2.prepare(nodes.norm(prefix + "norm2", norm2Scale), weights, residual1Scale);
    float fc1Scale = ranges.scale(weights, "mlp.fc1");
    float actScale = ranges.scale(weights, "mlp.act");
    OutlierChannels hidden = outliers("mlp.fc1");
    gelu.prepare(
        Gelu.of(prefix + "mlp.act", scheme.gelu(), fc1Scale, hidden, actScale, outliers("mlp.act")),
        scheme.gelu(),
        fc1Scale,
        hidden);
    float fc2Scale = ranges.scale(weights, "mlp.fc2");
    residual2.prepare(fc2Scale, residual1Scale, ranges.scale(weights, "residual2"));
    List<Runnable> linears =
        List.of(
            () -> prepare(nodes, fc1, "mlp.fc1", norm2Scale, "norm2", fc1Scale, type),
            () -> prepare(nodes, fc2, "mlp.fc2", actScale, "mlp.act", fc2Scale, type),
            () -> prepare(nodes, qkv, "attn.qkv", norm1Scale, "norm1", qkvScale, type),
            () -> prepare(nodes, proj, "attn.proj", contextScale, "attn.context", projScale, type));
    run.pool().run(linears.size(), i -> linears.get(i).run());
  }

  private void prepare(
      NodeBuilder nodes,
      QuantLinear linear,
      String key,
      float scale,
      String input,
      float outputScale,
      RealType type) {
    linear.prepare(
        nodes.linear(prefix + key, linear.quantize(nodes, scale), outliers(input), outputScale),
        type);
  }

  private OutlierChannels outliers(String node) {
    return scheme.outliers(prefix + node);
  }

  private void forward(
      Reals x,
      Reals y,
      int first,
      int count,
      boolean training,
      Execution run,
      Buffers keep,
      Buffers scratch,
      SeenRanges values) {
    int dim = shape.dim();
    int hidden = shape.hidden();
    int rows = count * shape.tokens();
    int from = first * shape.tokens() * dim;
    Gemm gemm = run.gemm();

    short[] input = keep.shorts("input", rows * dim);
    Codes.recover(x, from, inputScale, input, rows * dim, scratch);
    byte[] codes = scratch.bytes("codes", rows * Math.max(3 * dim, hidden));
    norm1.forward(input, codes, rows, values, scratch);
    Reals normed1 = keep.reals("norm1", rows * dim);
    Codes.widen(codes, rows, dim, outliers("norm1"), normed1);

    qkv.forward(gemm, normed1, codes, rows, OutlierChannels.NONE, values, scratch);
    Reals projections = keep.reals("qkv", rows * 3 * dim);
    projections.put(0, codes, 0, rows * 3 * dim);

    attention(gemm, projections, codes, count, keep, scratch, values);
    Reals context = keep.reals("context", rows * dim);
    Codes.widen(codes, rows, dim, outliers("attn.context"), context);

    short[] branch = scratch.shorts("branch", rows * dim);
    proj.forward(gemm, context, branch, rows, OutlierChannels.NONE, values, scratch);
    short[] middle = keep.shorts("residual1", rows * dim);
    residual(residual1, branch, input, middle, first, count, training, run, values);

    norm2.forward(middle, codes, rows, values, scratch);
    Reals normed2 = keep.reals("norm2", rows * dim);
    Codes.widen(codes, rows, dim, outliers("norm2"), normed2);
    byte[] before = keep.bytes("fc1", rows * hidden);
    fc1.forward(gemm, normed2, before, rows, outliers("mlp.fc1"), values, scratch);
    gelu.forward(before, codes, rows, values);
    Reals active = keep.reals("act", rows * hidden);
    Codes.widen(codes, rows, hidden, outliers("mlp.act"), active);

    fc2.forward(gemm, active, branch, rows, OutlierChannels.NONE, values, scratch);
    short[] output = scratch.shorts("output", rows * dim);
    residual(residual2, branch, middle, output, first, count, training, run, values);
    Codes.dequantize(output, rows * dim, residual2.node().outputScale(), y, from, scratch);
  }

  private void attention(
      Gemm gemm,
      Reals projections,
      byte[] context,
      int count,
      Buffers keep,
      Buffers scratch,
      SeenRanges values) {
    int tokens = shape.tokens();
    int dim = shape.dim();
    int perPicture = attention.probabilities();
    Reals probabilities = keep.reals("probabilities", count * perPicture);
    for (int i = 0; i < count; i++) {
      attention.forward(
          gemm,
          projections,
          i * tokens * 3 * dim,
          probabilities,
          i * perPicture,
          context,
          i * tokens * dim,
          values,
          scratch);
    }
  }

  private void residual(
      QuantResidual residual,
      short[] branch,
      short[] identity,
      short[] out,
      int first,
      int count,
      boolean training,
      Execution run,
      SeenRanges values) {
    int size = shape.tokens() * shape.dim();
    for (int i = 0; i < count; i++) {
      double factor = residual.factor(training, run, first + i);
      residual.forward(branch, identity, out, i * size, size, factor, values);
    }
  }

  @Override
  public void backward(
      Reals weights, Reals x, Reals gy, Reals gx, Reals gradients, int batch, Execution run) {
    kept.check(batch);
    run.forEachChunkWithGradients(
        batch,
        shape.tokens(),
        layout.size(),
        gradients,
        (chunk, first, count, part, sums) ->
            backward(gy, gx, sums, first, count, run, kept.chunk(chunk), run.scratch(part)));
  }

  private void backward(
      Reals gy,
      Reals gx,
      Reals gradients,
      int first,
      int count,
      Execution run,
      Buffers keep,
      Buffers scratch) {
    int dim = shape.dim();
    int hidden = shape.hidden();
    int rows = count * shape.tokens();
    int from = first * shape.tokens() * dim;
    Gemm gemm = run.gemm();

    Reals gBranch = scratch.reals("gBranch", rows * dim);
    branchGradient(gy, from, gBranch, first, count, residual2, run, scratch);
    Reals gHidden = scratch.reals("gHidden", rows * hidden);
    fc2.backward(gemm, keep.reals("act", 0), gBranch, 0, gHidden, gradients, rows, scratch);
    gelu.backward(keep.bytes("fc1", 0), gHidden, rows, scratch);
    Reals gNorm = scratch.reals("gNorm", rows * dim);
    fc1.backward(gemm, keep.reals("norm2", 0), gHidden, 0, gNorm, gradients, rows, scratch);
    Reals gMiddle = scratch.reals("gMiddle", rows * dim);
    gMiddle.put(0, gy, from, rows * dim);
    norm2.backward(keep.shorts("residual1", 0), gNorm, gMiddle, 0, dim, gradients, rows, scratch);

    branchGradient(gMiddle, 0, gBranch, first, count, residual1, run, scratch);
    Reals gContext = scratch.reals("gContext", rows * dim);
    proj.backward(gemm, keep.reals("context", 0), gBranch, 0, gContext, gradients, rows, scratch);
    Reals gQkv = scratch.reals("gQkv", rows * 3 * dim);
    int perPicture = attention.probabilities();
    int tokens = shape.tokens();
    for (int i = 0; i < count; i++) {
      attention.backward(
          gemm,
          keep.reals("qkv", 0),
          i * tokens * 3 * dim,
          keep.reals("probabilities", 0),
          i * perPicture,
          gContext,
          i * tokens * dim,
          gQkv,
          i * tokens * 3 * dim,
          scratch);
    }
    qkv.backward(gemm, keep.reals("norm1", 0), gQkv, 0, gNorm, gradients, rows, scratch);
    norm1.backward(keep.shorts("input", 0), gNorm, gMiddle, 0, dim, gradients, rows, scratch);
    if (gx != null) {
      gx.put(from, gMiddle, 0, rows * dim);
    }
  }

  private void branchGradient(
      Reals g,
      int from,
      Reals gBranch,
      int first,
      int count,
      QuantResidual residual,
      Execution run,
      Buffers scratch) {
    int size = shape.tokens() * shape.dim();
    for (int i = 0; i < count; i++) {
      double factor = residual.factor(true, run, first + i);
      if (factor == 1) {
        gBranch.put(i * size, g, from + i * size, size);
      } else {
        FloatKernels.scale(g, from + i * size, factor, gBranch, i * size, size, scratch);
      }
    }
  }
}
