package org.ivit.train.operator.integer;

import java.util.ArrayList;
import java.util.List;
import org.ivit.core.architecture.Block;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.graph.IntegerBlock;
import org.ivit.core.graph.Linear;
import org.ivit.core.graph.build.NodeBuilder;
import org.ivit.core.scheme.NodeScales;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.Gemm;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Chunk;
import org.ivit.train.operator.DropPath;
import org.ivit.train.operator.Execution;
import org.ivit.train.operator.SeenRanges;
import org.ivit.train.operator.floating.FloatKernels;
import org.ivit.train.operator.floating.RelativePositions;
import org.ivit.train.parameter.PartSpec;
import org.ivit.train.parameter.RowOrder;

/**
 * A transformer block in integers, with straight-through gradients ({@code
 * docs/arithmetic.md#straight-through-gradients}). Input and output are dequantized 16-bit codes,
 * [batch, tokens, dim].
 */
public final class QuantizedBlock extends QuantizedPartOperator {
  private final Block site;
  private final RelativePositions positions;
  private final RowOrder windows;
  private final QuantNorm norm1;
  private final QuantLinear qkv;

  /** Null where there are no rotary positions. */
  private final QuantRotation rotation;

  private final QuantAttention attention;
  private final QuantLinear proj;
  private final QuantResidual residual1;
  private final QuantMlp mlp;
  private float inputScale;

  /**
   * @param spec of the block
   * @param site name and sizes
   * @param scheme forms, widths, outlier channels
   */
  public QuantizedBlock(PartSpec spec, Block site, Scheme scheme) {
    super(spec, site.tokens(), scheme);
    this.site = site;
    this.positions = site.windows() == null ? null : new RelativePositions(layout(), site);
    this.windows = site.inOrder() ? null : new RowOrder(site.windows().order());
    int dim = site.dim();
    this.norm1 = new QuantNorm(spec.prefix(), layout(), site.norm1(), dim);
    this.qkv = QuantLinear.ofCodes(spec.prefix(), layout(), site.qkvLinear());
    this.rotation = site.rotary() == null ? null : new QuantRotation(site);
    this.attention = new QuantAttention(site, positions);
    this.proj = QuantLinear.ofCodes(spec.prefix(), layout(), site.projLinear());
    this.residual1 = new QuantResidual(site.residual1().name(), DropPath.of(spec, 0));
    QuantResidual addition = new QuantResidual(site.residual2().name(), DropPath.of(spec, 1));
    this.mlp = QuantMlp.of(spec.prefix(), layout(), scheme, site, addition);
  }

  @Override
  List<QuantLinear> linears() {
    List<QuantLinear> linears = new ArrayList<>(List.of(qkv, proj));
    linears.addAll(mlp.linears());
    return linears;
  }

  /** Weights are quantized on all threads: alone, one would need a tenth of the pass for it. */
  @Override
  protected void prepare(Reals weights, int batch, Execution run) {
    NodeBuilder nodes = nodes(weights);
    NodeScales scales = scales(weights);
    inputScale = inputScale(weights);
    List<Linear> built = prepared(linears(), nodes, scales, run);
    IntegerBlock block = nodes.block(site, scales, inputScale, built);
    norm1.prepare(block.norm1(), weights, inputScale);
    if (rotation != null) {
      rotation.prepare(block.rotation(), block.qkv().outputScale());
    }
    attention.prepare(block.attention(), block.attendedScale());
    residual1.prepare(
        block.proj().outputScale(), inputScale, block.residual1().outputScale(), run.type());
    mlp.prepare(block, weights, run.type());
  }

  @Override
  protected void forward(Reals weights, Reals x, Reals y, Chunk chunk, Execution run) {
    int count = chunk.count();
    Buffers keep = chunk.keep();
    Buffers scratch = chunk.scratch();
    SeenRanges values = chunk.seen();
    int dim = site.dim();
    int rows = count * site.tokens();
    int size = site.tokens() * dim;
    int from = chunk.first() * size;
    Gemm gemm = run.gemm();

    short[] input = keep.shorts("input", rows * dim);
    Codes.recover(x, from, inputScale, input, rows * dim, scratch);
    byte[] codes = scratch.bytes("codes", rows * 3 * dim);
    norm1.forward(input, codes, rows, values, scratch);
    if (windows != null) {
      byte[] inWindows = scratch.bytes("windows", rows * dim);
      windows.apply(codes, inWindows, count, dim);
      System.arraycopy(inWindows, 0, codes, 0, rows * dim);
    }
    Reals normed1 = keep.reals("norm1", rows * dim);
    Codes.widen(codes, rows, dim, scheme.outliers(site.norm1()), normed1);

    if (rotation == null) {
      qkv.forward(gemm, normed1, codes, codes, rows, OutlierChannels.NONE, values, scratch);
    } else {
      short[] wide = scratch.shorts("qkv", rows * 3 * dim);
      qkv.forward(gemm, normed1, codes, wide, rows, OutlierChannels.NONE, values, scratch);
      rotation.forward(wide, codes, count, values, scratch);
    }
    Reals projections = keep.reals("qkv", rows * 3 * dim);
    projections.put(0, codes, 0, rows * 3 * dim);

    int groups = count * site.groups();
    Reals probabilities = keep.reals("probabilities", groups * attention.probabilities());
    attention.forward(gemm, projections, probabilities, codes, groups, values, scratch);
    Reals context = keep.reals("context", rows * dim);
    Codes.widen(codes, rows, dim, scheme.outliers(site.context()), context);

    short[] branch = scratch.shorts("branch", rows * dim);
    if (windows == null) {
      proj.forward(gemm, context, codes, branch, rows, OutlierChannels.NONE, values, scratch);
    } else {
      short[] inWindows = scratch.shorts("windows", rows * dim);
      proj.forward(gemm, context, codes, inWindows, rows, OutlierChannels.NONE, values, scratch);
      windows.undo(inWindows, branch, count, dim);
    }
    short[] middle = keep.shorts("residual1", rows * dim);
    residual1.forward(branch, input, middle, size, chunk, run);
    short[] output = scratch.shorts("output", rows * dim);
    mlp.forward(middle, output, chunk, run);
    Codes.dequantize(output, rows * dim, mlp.outputScale(), y, from, scratch);
  }

  @Override
  protected void backward(
      Reals weights, Reals x, Reals gy, Reals gx, Reals gradients, Chunk chunk, Execution run) {
    int count = chunk.count();
    Buffers keep = chunk.keep();
    Buffers scratch = chunk.scratch();
    int dim = site.dim();
    int rows = count * site.tokens();
    int size = site.tokens() * dim;
    int from = chunk.first() * size;
    Gemm gemm = run.gemm();

    Reals gMiddle = scratch.reals("gMiddle", rows * dim);
    mlp.backward(keep.shorts("residual1", 0), gy, from, gMiddle, gradients, chunk, run);

    Reals gBranch = scratch.reals("gBranch", rows * dim);
    Reals gNorm = scratch.reals("gNorm", rows * dim);
    FloatKernels.branchGradient(residual1.drop(), gMiddle, 0, gBranch, size, chunk, run);
    if (windows != null) {
      Reals inWindows = scratch.reals("ordered", rows * dim);
      windows.apply(gBranch, 0, inWindows, count, dim);
      gBranch = inWindows;
    }
    if (positions != null) {
      positions.begin(scratch);
    }
    Reals gContext = scratch.reals("gContext", rows * dim);
    proj.backward(gemm, keep.reals("context", 0), gBranch, 0, gContext, gradients, rows, scratch);
    Reals gQkv = scratch.reals("gQkv", rows * 3 * dim);
    Reals probabilities = keep.reals("probabilities", 0);
    attention.backward(
        gemm, keep.reals("qkv", 0), probabilities, gContext, gQkv, count * site.groups(), scratch);
    if (rotation != null) {
      rotation.backward(gQkv, count, scratch);
    }
    qkv.backward(gemm, keep.reals("norm1", 0), gQkv, 0, gNorm, gradients, rows, scratch);
    if (positions != null) {
      positions.finish(gradients, scratch);
    }
    if (windows != null) {
      Reals inPicture = scratch.reals("ordered", rows * dim);
      windows.undo(gNorm, inPicture, 0, count, dim);
      gNorm = inPicture;
    }
    norm1.backward(keep.shorts("input", 0), gNorm, gMiddle, 0, dim, gradients, rows, scratch);
    if (gx != null) {
      gx.put(from, gMiddle, 0, rows * dim);
    }
  }
}
