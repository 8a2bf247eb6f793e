package org.ivit.train.operator;

import java.util.Arrays;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.QuantizedLinear;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.graph.Linear;
import org.ivit.core.graph.NodeBuilder;

/**
 * A linear layer of the quantized network on rows of a chunk. The integer product runs on the float
 * GEMM, which is exact while every partial sum is an exact integer of the number type; where the
 * weights could pass that, the sum is cut into segments that cannot.
 */
final class QuantLinear {
  private final String layer;
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

  /**
   * @param layout parameters of the operator
   * @param prefix of full names, such as {@code blocks.0.}
   * @param key parameter prefix within the operator, such as {@code attn.qkv}
   */
  QuantLinear(ParameterLayout layout, String prefix, String key, int inputs, int outputs) {
    this.layer = prefix + key;
    this.inputs = inputs;
    this.outputs = outputs;
    this.weightFrom = layout.from(key + ".weight");
    this.biasFrom = layout.from(key + ".bias");
  }

  /** Quantizes weights and bias for this pass. */
  QuantizedLinear quantize(NodeBuilder nodes, float scale) {
    inputScale = scale;
    quantized = nodes.quantize(layer, scale);
    return quantized;
  }

  /** Takes the node built from the quantized weights, and prepares the products of this pass. */
  void prepare(Linear built, RealType type) {
    node = built;
    int size = inputs * outputs;
    if (codes == null || codes.type() != type) {
      codes = Reals.allocate(type, size);
      values = Reals.allocate(type, size);
    }
    codes.put(0, built.weight(), 0, size);
    dequantize();
    cuts = cuts(built, type.exactIntegers());
  }

  private void dequantize() {
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
    int[] cuts = new int[node.inputs() + 1];
    int count = 1;
    long[] bound = new long[node.outputs()];
    OutlierChannels outliers = node.inputOutliers();
    for (int k = 0; k < node.inputs(); k++) {
      long factor = outliers.contains(k) ? 128L << outliers.shift() : 128;
      long largest = 0;
      for (int c = 0; c < bound.length; c++) {
        bound[c] += factor * Math.abs(node.weight()[c * node.inputs() + k]);
        largest = Math.max(largest, bound[c]);
      }
      if (largest >= limit) {
        cuts[count++] = k;
        for (int c = 0; c < bound.length; c++) {
          bound[c] = factor * Math.abs(node.weight()[c * node.inputs() + k]);
        }
      }
    }
    cuts[count++] = node.inputs();
    return Arrays.copyOf(cuts, count);
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
    int size = rows * outputs;
    Reals product = scratch.reals("product", size);
    int[] acc = scratch.ints("acc", size);
    for (int i = 0; i + 1 < cuts.length; i++) {
      gemm.multiply(
          false,
          true,
          rows,
          outputs,
          cuts[i + 1] - cuts[i],
          1,
          x,
          cuts[i],
          inputs,
          codes,
          cuts[i],
          inputs,
          0,
          product,
          0,
          outputs);
      if (i == 0) {
        product.getInts(0, acc, 0, size);
      } else {
        int[] more = scratch.ints("acc.more", size);
        product.getInts(0, more, 0, size);
        for (int j = 0; j < size; j++) {
          acc[j] += more[j];
        }
      }
    }
    int[] bias = quantized.bias();
    for (int r = 0; r < size; r += outputs) {
      for (int c = 0; c < outputs; c++) {
        acc[r + c] += bias[c];
      }
    }
    return acc;
  }

  /** Tells {@code seen} the values of accumulators, outlier channels of the output left out. */
  void observe(String name, int[] acc, int rows, OutlierChannels outliers, SeenRanges seen) {
    int[] min = new int[outputs];
    int[] max = new int[outputs];
    Arrays.fill(min, Integer.MAX_VALUE);
    Arrays.fill(max, Integer.MIN_VALUE);
    for (int r = 0; r < rows * outputs; r += outputs) {
      for (int c = 0; c < outputs; c++) {
        min[c] = Math.min(min[c], acc[r + c]);
        max[c] = Math.max(max[c], acc[r + c]);
      }
    }
    for (int c = 0; c < outputs; c++) {
      if (!outliers.contains(c)) {
        seen.include(name, min[c] * accumulatorScale(c), max[c] * accumulatorScale(c));
      }
    }
  }

  /** Requantizes accumulators to 8-bit codes. */
  void requantize(int[] acc, int rows, byte[] out) {
    int[] m = node.requantization().multiplier();
    byte[] e = node.requantization().shift();
    for (int r = 0; r < rows * outputs; r += outputs) {
      for (int c = 0; c < outputs; c++) {
        out[r + c] = Quantizer.clamp8(((long) acc[r + c] * m[c] + (1L << (e[c] - 1))) >> e[c]);
      }
    }
  }

  /** Requantizes accumulators to 16-bit codes. */
  void requantize(int[] acc, int rows, short[] out) {
    int[] m = node.requantization().multiplier();
    byte[] e = node.requantization().shift();
    for (int r = 0; r < rows * outputs; r += outputs) {
      for (int c = 0; c < outputs; c++) {
        out[r + c] = Quantizer.clamp16(((long) acc[r + c] * m[c] + (1L << (e[c] - 1))) >> e[c]);
      }
    }
  }

  /**
   * Straight through, §11: {@code gx = g·W_q}, {@code gW += gᵀ·x_q}, {@code gb += Σg}.
   *
   * @param x codes as numbers, outliers shifted, [rows][inputs]
   * @param gx written unless it is null
   */
  void backward(
      Gemm gemm,
      Reals x,
      Reals gy,
      int gyFrom,
      Reals gx,
      Reals gradients,
      int rows,
      Buffers buffers) {
    gemm.multiply(
        true,
        false,
        outputs,
        inputs,
        rows,
        inputScale,
        gy,
        gyFrom,
        outputs,
        x,
        0,
        inputs,
        1,
        gradients,
        weightFrom,
        inputs);
    FloatKernels.addColumnSums(gy, gyFrom, rows, outputs, gradients, biasFrom, buffers);
    if (gx != null) {
      gemm.multiply(
          false, false, rows, inputs, outputs, 1, gy, gyFrom, outputs, values, 0, inputs, 0, gx, 0,
          inputs);
    }
  }
}
