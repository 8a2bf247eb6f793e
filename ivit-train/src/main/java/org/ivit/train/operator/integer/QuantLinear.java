package org.ivit.train.operator.integer;

import java.util.Arrays;
import java.util.Objects;
import org.ivit.core.architecture.LinearSpec;
import org.ivit.core.arithmetic.Bounds;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.QuantizedLinear;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.graph.Linear;
import org.ivit.core.graph.build.NodeBuilder;
import org.ivit.core.scheme.NodeScales;
import org.ivit.core.weight.WeightCodes;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.CodeProduct;
import org.ivit.train.memory.Gemm;
import org.ivit.train.memory.NativeRows;
import org.ivit.train.memory.RealMatrix;
import org.ivit.train.memory.RealType;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.SeenRanges;
import org.ivit.train.operator.floating.FloatKernels;
import org.ivit.train.parameter.ParameterLayout;

/**
 * A linear layer of the quantized network on rows of a chunk. The integer product runs on the float
 * GEMM, which is exact while every partial sum is an exact integer of the number type; where the
 * weights could pass that, the sum is cut into segments that cannot.
 */
public final class QuantLinear {
  private static final int NONE = -1;

  private final boolean byCodes;
  private final LinearSpec layer;
  private final String weightKey;
  private final int inputs;
  private final int outputs;
  private final int weightFrom;
  private final int biasFrom;
  private QuantizedLinear quantized;
  private Linear node;
  private float inputScale;
  private Reals codes;
  private Reals values;
  private int[] cuts;
  private CodeProduct product;
  private int[] multiplier;
  private int[] shift;
  private long[] half;

  /**
   * @param prefix what full names have before those within the operator
   * @param layout parameters of the operator
   * @param layer names and sizes
   */
  public QuantLinear(String prefix, ParameterLayout layout, LinearSpec layer) {
    this(prefix, layout, layer, false);
  }

  private QuantLinear(String prefix, ParameterLayout layout, LinearSpec layer, boolean byCodes) {
    this.byCodes = byCodes;
    this.layer = layer;
    this.inputs = layer.inputs();
    this.outputs = layer.outputs();
    this.weightKey = layer.weight().substring(prefix.length());
    this.weightFrom = layout.from(weightKey);
    this.biasFrom = layer.biased() ? layout.from(layer.bias().substring(prefix.length())) : NONE;
  }

  /** One whose callers always have the codes of its input at hand. */
  static QuantLinear ofCodes(String prefix, ParameterLayout layout, LinearSpec layer) {
    return new QuantLinear(prefix, layout, layer, true);
  }

  /** Quantizes weights and bias, if any, for this pass. */
  public QuantizedLinear quantize(NodeBuilder nodes, float scale) {
    inputScale = scale;
    quantized = nodes.quantize(layer, scale);
    return quantized;
  }

  /** Quantizes weights and bias, if any, for this pass. */
  QuantizedLinear quantize(NodeBuilder nodes, NodeScales scales) {
    return quantize(nodes, scales.of(layer.input()));
  }

  /** Quantizes, builds the node and prepares the products of a pass. */
  public Linear prepare(NodeBuilder nodes, NodeScales scales, RealType type) {
    QuantizedLinear codes8 = quantize(nodes, scales);
    prepare(nodes.linear(layer, codes8, scales.of(layer.node())), type);
    return node;
  }

  /** Takes the node built from the quantized weights, and prepares the products of this pass. */
  public void prepare(Linear built, RealType type) {
    node = built;
    int size = inputs * outputs;
    if (codes == null || codes.type() != type) {
      codes = Reals.allocate(type, size);
      values = Reals.allocate(type, size);
    }
    dequantize();
    if (byCodes && NativeRows.serves(values) && loadProduct(built)) {
      cuts = new int[] {0, inputs};
    } else {
      product = null;
      codes.put(0, quantized.weight(), 0, size);
      cuts = cuts(built, type.exactIntegers());
    }
    multiplier = built.requantization().multiplier();
    shift = new int[outputs];
    half = new long[outputs];
    for (int c = 0; c < outputs; c++) {
      shift[c] = built.requantization().shift()[c];
      half[c] = 1L << (shift[c] - 1);
    }
  }

  private boolean loadProduct(Linear built) {
    if (product == null) {
      product = CodeProduct.of(inputs, outputs, built.inputOutliers());
    }
    return product != null && product.load(quantized.weight(), built.bias());
  }

  private void dequantize() {
    if (NativeRows.serves(values)) {
      NativeRows.dequantizeRows(
          quantized.weight(),
          outputs,
          inputs,
          quantized.weightScale(),
          NativeRows.address(values, 0, inputs * outputs));
      return;
    }
    double[] row = new double[inputs];
    byte[] weight = quantized.weight();
    for (int c = 0; c < outputs; c++) {
      double scale = quantized.weightScale()[c];
      for (int k = 0; k < inputs; k++) {
        row[k] = weight[c * inputs + k] * scale;
      }
      values.put(c * inputs, row, 0, inputs);
    }
  }

  /** Where to cut the inputs so that no channel's segment can reach {@code limit}. */
  private static int[] cuts(Linear node, long limit) {
    byte[] weight = node.weight();
    for (int c = 0; c < node.outputs(); c++) {
      long bound =
          Bounds.accumulator(weight, c * node.inputs(), node.inputs(), 0, node.inputOutliers());
      if (bound >= limit) {
        return segments(node, weight, limit);
      }
    }
    return new int[] {0, node.inputs()};
  }

  private static int[] segments(Linear node, byte[] weight, long limit) {
    int[] cuts = new int[node.inputs() + 1];
    int count = 1;
    long[] bound = new long[node.outputs()];
    OutlierChannels outliers = node.inputOutliers();
    for (int k = 0; k < node.inputs(); k++) {
      long factor = outliers.contains(k) ? 128L << outliers.shift() : 128;
      long largest = 0;
      for (int c = 0; c < bound.length; c++) {
        bound[c] += factor * Math.abs(weight[c * node.inputs() + k]);
        largest = Math.max(largest, bound[c]);
      }
      if (largest >= limit) {
        cuts[count++] = k;
        for (int c = 0; c < bound.length; c++) {
          bound[c] = factor * Math.abs(weight[c * node.inputs() + k]);
        }
      }
    }
    cuts[count++] = node.inputs();
    return Arrays.copyOf(cuts, count);
  }

  /** The key of the weights in the operator's layout. */
  String weightKey() {
    return weightKey;
  }

  /** What the weights of this pass were quantized to. */
  WeightCodes weightCodes() {
    return quantized.codes();
  }

  Linear node() {
    return node;
  }

  /** Scale of an accumulator of channel {@code c}. */
  double accumulatorScale(int c) {
    return quantized.biasScale()[c];
  }

  /**
   * @param x codes as numbers, outliers shifted, [rows][inputs]
   * @return accumulators, [rows][outputs], in scratch memory
   */
  int[] accumulate(Gemm gemm, Reals x, int rows, Buffers scratch) {
    int[] acc = products(gemm, x, rows, scratch);
    for (int r = 0; r < rows * outputs; r += outputs) {
      addBias(acc, r);
    }
    return acc;
  }

  /**
   * Products, bias, range and requantization to 8-bit codes.
   *
   * @param x codes as numbers, outliers shifted, [rows][inputs]
   * @param xCodes the codes themselves; null unless this was made by {@link #ofCodes}; may be out
   * @param outliers channels of the output that take no part in its range
   * @param seen receives the values, or null
   */
  public void forward(
      Gemm gemm,
      Reals x,
      byte[] xCodes,
      byte[] out,
      int rows,
      OutlierChannels outliers,
      SeenRanges seen,
      Buffers scratch) {
    if (product != null || inOneProduct(x)) {
      Objects.checkFromIndexSize(0, rows * outputs, out.length);
      nativeForward(gemm, x, xCodes, out, rows, outliers, seen, scratch);
      return;
    }
    forward(
        gemm,
        x,
        rows,
        outliers,
        seen,
        scratch,
        (row, r) -> {
          for (int c = 0; c < outputs; c++) {
            out[r + c] = Quantizer.clamp8(((long) row[c] * multiplier[c] + half[c]) >> shift[c]);
          }
        });
  }

  /**
   * As {@link #forward(Gemm, Reals, byte[], byte[], int, OutlierChannels, SeenRanges, Buffers)}, to
   * 16-bit codes.
   */
  public void forward(
      Gemm gemm,
      Reals x,
      byte[] xCodes,
      short[] out,
      int rows,
      OutlierChannels outliers,
      SeenRanges seen,
      Buffers scratch) {
    if (product != null || inOneProduct(x)) {
      Objects.checkFromIndexSize(0, rows * outputs, out.length);
      nativeForward(gemm, x, xCodes, out, rows, outliers, seen, scratch);
      return;
    }
    forward(
        gemm,
        x,
        rows,
        outliers,
        seen,
        scratch,
        (row, r) -> {
          for (int c = 0; c < outputs; c++) {
            out[r + c] = Quantizer.clamp16(((long) row[c] * multiplier[c] + half[c]) >> shift[c]);
          }
        });
  }

  /** To a {@code byte[]} or {@code short[]}. */
  private void nativeForward(
      Gemm gemm,
      Reals x,
      byte[] xCodes,
      Object out,
      int rows,
      OutlierChannels outliers,
      SeenRanges seen,
      Buffers scratch) {
    int[] bias = quantized.bias();
    int[] min = SeenRanges.smallest(seen, outputs, scratch);
    int[] max = SeenRanges.largest(seen, outputs, scratch);
    if (product != null) {
      product.run(xCodes, rows, multiplier, half, shift, min, max, out, scratch);
    } else {
      long sums = NativeRows.address(product(gemm, x, rows, 0, scratch), 0, rows * outputs);
      if (out instanceof byte[] codes8) {
        NativeRows.requantize8(
            sums, rows, outputs, bias, multiplier, half, shift, min, max, codes8);
      } else {
        NativeRows.requantize16(
            sums, rows, outputs, bias, multiplier, half, shift, min, max, (short[]) out);
      }
    }
    if (seen != null) {
      observe(min, max, outliers, seen);
    }
  }

  private boolean inOneProduct(Reals x) {
    return cuts.length == 2 && NativeRows.serves(x);
  }

  /** What happens to one row of accumulators. */
  private interface RowBody {
    void accept(int[] row, int at);
  }

  /** Row by row, so that a row passes all that follows the product while it is in the cache. */
  private void forward(
      Gemm gemm,
      Reals x,
      int rows,
      OutlierChannels outliers,
      SeenRanges seen,
      Buffers scratch,
      RowBody requantize) {
    int[] row = scratch.ints("linear.row", outputs);
    int[] min = SeenRanges.smallest(seen, outputs, scratch);
    int[] max = SeenRanges.largest(seen, outputs, scratch);
    int[] acc = cuts.length == 2 ? null : products(gemm, x, rows, scratch);
    Reals product = acc == null ? product(gemm, x, rows, 0, scratch) : null;
    for (int r = 0; r < rows * outputs; r += outputs) {
      if (acc == null) {
        product.getInts(r, row, 0, outputs);
      } else {
        System.arraycopy(acc, r, row, 0, outputs);
      }
      addBias(row, 0);
      if (seen != null) {
        extend(row, min, max);
      }
      requantize.accept(row, r);
    }
    if (seen != null) {
      observe(min, max, outliers, seen);
    }
  }

  private Reals product(Gemm gemm, Reals x, int rows, int segment, Buffers scratch) {
    Reals product = scratch.reals("product", rows * outputs);
    int from = cuts[segment];
    int length = cuts[segment + 1] - from;
    gemm.multiply(
        1,
        new RealMatrix(x, from, rows, length, inputs),
        new RealMatrix(codes, from, outputs, length, inputs).transpose(),
        0,
        new RealMatrix(product, 0, rows, outputs));
    return product;
  }

  /** Sums of products without the bias. */
  private int[] products(Gemm gemm, Reals x, int rows, Buffers scratch) {
    int size = rows * outputs;
    int[] acc = scratch.ints("acc", size);
    product(gemm, x, rows, 0, scratch).getInts(0, acc, 0, size);
    for (int segment = 1; segment + 1 < cuts.length; segment++) {
      int[] more = scratch.ints("acc.more", size);
      product(gemm, x, rows, segment, scratch).getInts(0, more, 0, size);
      for (int i = 0; i < size; i++) {
        acc[i] += more[i];
      }
    }
    return acc;
  }

  private void addBias(int[] acc, int from) {
    int[] bias = quantized.bias();
    for (int c = 0; c < outputs; c++) {
      acc[from + c] += bias[c];
    }
  }

  private void extend(int[] row, int[] min, int[] max) {
    for (int c = 0; c < outputs; c++) {
      min[c] = Math.min(min[c], row[c]);
      max[c] = Math.max(max[c], row[c]);
    }
  }

  private void observe(int[] min, int[] max, OutlierChannels outliers, SeenRanges seen) {
    double least = Double.POSITIVE_INFINITY;
    double largest = Double.NEGATIVE_INFINITY;
    for (int c = 0; c < outputs; c++) {
      if (!outliers.contains(c)) {
        least = Math.min(least, min[c] * accumulatorScale(c));
        largest = Math.max(largest, max[c] * accumulatorScale(c));
      }
    }
    seen.include(node.name(), least, largest);
  }

  /**
   * Straight through ({@code docs/arithmetic.md#straight-through-gradients}): {@code gx = g·W_q},
   * {@code gW += gᵀ·x_q}, {@code gb += Σg}.
   *
   * @param x codes as numbers, outliers shifted, [rows][inputs]
   * @param gx written unless it is null
   */
  public void backward(
      Gemm gemm,
      Reals x,
      Reals gy,
      int gyFrom,
      Reals gx,
      Reals gradients,
      int rows,
      Buffers buffers) {
    RealMatrix g = new RealMatrix(gy, gyFrom, rows, outputs);
    gemm.multiply(
        inputScale,
        g.transpose(),
        new RealMatrix(x, 0, rows, inputs),
        1,
        new RealMatrix(gradients, weightFrom, outputs, inputs));
    if (biasFrom != NONE) {
      FloatKernels.addColumnSums(gy, gyFrom, rows, outputs, gradients, biasFrom, buffers);
    }
    if (gx != null) {
      RealMatrix weight = new RealMatrix(values, 0, outputs, inputs);
      gemm.multiply(1, g, weight, 0, new RealMatrix(gx, 0, rows, inputs));
    }
  }
}
