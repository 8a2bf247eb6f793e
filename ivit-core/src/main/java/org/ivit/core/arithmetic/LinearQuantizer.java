package org.ivit.core.arithmetic;

import java.util.Arrays;
import org.ivit.core.InputException;
import org.ivit.core.weight.WeightCodes;
import org.ivit.core.weight.WeightGrid;

/** Weights to 8-bit codes with one scale an output channel, biases to 32 bits. */
public final class LinearQuantizer {
  /** A bias whose code would exceed this raises the weight scale of its channel. */
  static final double MAX_BIAS = 0x1p30;

  private LinearQuantizer() {}

  /**
   * Quantizes a linear layer. A channel's scale comes from its own minimum and maximum unless it is
   * frozen; where the bias would need a code beyond 2^30 (a channel of near-zero weights with a
   * bias), the scale is raised to float32(|bias| / (2^30·s_x)), a frozen one too.
   *
   * @param name the layer: its tensors are {@code name.weight} and {@code name.bias}
   * @param weight [outputs][inputs]
   * @param bias [outputs], or null where there is none
   * @param inputScale s_x
   * @param frozenScale [outputs], or null to take the scales from the weights
   * @throws InputException if a weight or bias is not finite or a frozen scale is not positive
   */
  public static QuantizedLinear quantize(
      String name,
      float[] weight,
      float[] bias,
      int outputs,
      int inputs,
      float inputScale,
      float[] frozenScale) {
    return quantize(name, weight, bias, outputs, inputs, inputScale, frozenScale, null);
  }

  /**
   * Quantizes a linear layer whose codes lie on a grid: each is the one nearest to
   * float32(reciprocal·w).
   *
   * @param grid of the codes, or null where all of 8 bits may be; see the other method
   */
  public static QuantizedLinear quantize(
      String name,
      float[] weight,
      float[] bias,
      int outputs,
      int inputs,
      float inputScale,
      float[] frozenScale,
      WeightGrid grid) {
    if (grid != null) {
      grid.requireSize(name + ".weight", outputs, inputs);
    }
    requireLength(name + ".weight", weight.length, (long) outputs * inputs);
    if (bias != null) {
      requireLength(name + ".bias", bias.length, outputs);
    }
    if (frozenScale != null) {
      requireLength(name + ".weight_scale", frozenScale.length, outputs);
    }
    byte[] codes = new byte[weight.length];
    byte[] indices = grid == null ? null : new byte[weight.length];
    float[] weightScale = new float[outputs];
    int[] biasCodes = new int[outputs];
    float[] biasScale = new float[outputs];
    int[] raised = new int[outputs];
    int raisedCount = 0;
    for (int c = 0; c < outputs; c++) {
      int row = c * inputs;
      float own = channelScale(name + ".weight", weight, row, inputs);
      float scale = frozenScale == null ? own : frozenScale[c];
      if (!(scale > 0) || Float.isInfinite(scale)) {
        throw new InputException(
            name + ".weight_scale: element " + c + " is " + scale + ", expected a positive value");
      }
      if (bias != null) {
        Quantizer.requireFinite(name + ".bias", c, bias[c]);
        double code = Math.rint(Quantizer.reciprocal(scale * inputScale) * bias[c]);
        if (Math.abs(code) > MAX_BIAS) {
          scale = Math.abs(bias[c]) / (0x1p30f * inputScale);
          raised[raisedCount++] = c;
        }
      }
      weightScale[c] = scale;
      biasScale[c] = scale * inputScale;
      float reciprocal = Quantizer.reciprocal(scale);
      for (int k = 0; k < inputs; k++) {
        if (grid == null) {
          codes[row + k] = (byte) Quantizer.code(weight[row + k], reciprocal, 8);
        } else {
          int index = grid.nearest(c, k, reciprocal * weight[row + k]);
          indices[row + k] = (byte) index;
          codes[row + k] = (byte) grid.code(c, k, index);
        }
      }
      if (bias != null) {
        biasCodes[c] = biasCode(bias[c], biasScale[c]);
      }
    }
    return new QuantizedLinear(
        codes,
        weightScale,
        biasCodes,
        biasScale,
        Arrays.copyOf(raised, raisedCount),
        grid == null
            ? WeightCodes.of(codes, outputs)
            : WeightCodes.ofIndices(grid, indices, outputs));
  }

  /**
   * The 8-bit code of a weight.
   *
   * @param grid of the codes, or null where all of 8 bits may be
   * @param output channel
   * @param input channel
   * @param weight finite
   * @param reciprocal of the output channel's scale
   */
  public static int code(WeightGrid grid, int output, int input, float weight, float reciprocal) {
    return grid == null
        ? Quantizer.code(weight, reciprocal, 8)
        : grid.code(output, input, grid.nearest(output, input, reciprocal * weight));
  }

  private static int biasCode(float bias, float biasScale) {
    return Quantizer.code(bias, Quantizer.reciprocal(biasScale), 32);
  }

  /**
   * The bias codes of a layer whose weights are quantized already.
   *
   * @param name the layer, whose tensor is {@code name.bias}
   * @param bias [outputs], or null where there is none
   * @param biasScale [outputs] float32(s_w·s_x)
   * @return [outputs], zeros where there is no bias
   * @throws InputException if a bias is not finite
   */
  public static int[] biasCodes(String name, float[] bias, float[] biasScale) {
    int[] codes = new int[biasScale.length];
    if (bias != null) {
      requireLength(name + ".bias", bias.length, codes.length);
      for (int c = 0; c < codes.length; c++) {
        Quantizer.requireFinite(name + ".bias", c, bias[c]);
        codes[c] = biasCode(bias[c], biasScale[c]);
      }
    }
    return codes;
  }

  /** The scale of one channel's weights, 8 bits; refuses values that are not finite. */
  private static float channelScale(String tensor, float[] weight, int offset, int inputs) {
    float min = Float.POSITIVE_INFINITY;
    float max = Float.NEGATIVE_INFINITY;
    for (int k = offset; k < offset + inputs; k++) {
      Quantizer.requireFinite(tensor, k, weight[k]);
      min = Math.min(min, weight[k]);
      max = Math.max(max, weight[k]);
    }
    return Quantizer.scale(min, max, 8);
  }

  private static void requireLength(String tensor, long found, long expected) {
    if (found != expected) {
      throw new InputException(tensor + ": " + found + " elements, expected " + expected);
    }
  }
}
