package org.ivit.core.graph;

import java.util.ArrayList;
import java.util.List;
import org.ivit.core.InputException;
import org.ivit.core.arithmetic.Bounds;
import org.ivit.core.arithmetic.DyadicVector;
import org.ivit.core.arithmetic.Logits;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.QuantizedLinear;
import org.ivit.core.weight.WeightCodes;

/**
 * A linear layer on integer codes ({@code docs/arithmetic.md#linear-layers-and-matrix-products}):
 * {@code acc[c] = Σ_k x[k]·w[c][k] + bias[c]}, then requantization by one dyadic multiplier a
 * channel. Patch embedding and classifier are linear layers too. Arrays are constants and shared,
 * not to be changed.
 *
 * @param name full node name, such as {@code blocks.0.attn.qkv}
 * @param inputs number of input channels
 * @param outputs number of output channels
 * @param codes of the weights, [outputs][inputs]
 * @param bias codes on the accumulator's scale, [outputs]
 * @param inputOutliers input channels whose codes stand for {@code code·2^shift}
 * @param requantization dyadic multiplier of each output channel
 * @param bits width of the output codes: 8 or 16 clamped, 32 for logits, which are not clamped
 * @param outputScale value of one output code step
 */
public record Linear(
    String name,
    int inputs,
    int outputs,
    WeightCodes codes,
    int[] bias,
    OutlierChannels inputOutliers,
    DyadicVector requantization,
    int bits,
    float outputScale) {

  /**
   * Proves the bounds; throws {@link InputException} naming the layer where an accumulator could
   * pass 31 bits, or a logit could.
   */
  public Linear {
    if (codes.outputs() != outputs || codes.inputs() != inputs) {
      throw new InputException(
          "%s weight: found [%d, %d], expected [%d, %d]"
              .formatted(name, codes.outputs(), codes.inputs(), outputs, inputs));
    }
    byte[] weight = codes.decoded();
    GraphChecks.length(name + " bias", bias.length, outputs);
    GraphChecks.length(name + " multipliers", requantization.size(), outputs);
    Bounds.requireChannels(name, inputOutliers, inputs);
    Bounds.proveAccumulators(name, weight, bias, outputs, inputs, inputOutliers);
    if (bits == 32) {
      Bounds.proveLogits(
          name, Bounds.accumulators(weight, bias, outputs, inputs, inputOutliers), requantization);
    }
  }

  /** Weights as 8-bit codes, [outputs][inputs]; parameters else as those of the record. */
  public Linear(
      String name,
      int inputs,
      int outputs,
      byte[] weight,
      int[] bias,
      OutlierChannels inputOutliers,
      DyadicVector requantization,
      int bits,
      float outputScale) {
    this(
        name,
        inputs,
        outputs,
        new WeightCodes(outputs, inputs, null, weight),
        bias,
        inputOutliers,
        requantization,
        bits,
        outputScale);
  }

  /** The weights' 8-bit codes, [outputs][inputs]: {@link WeightCodes#decoded}. */
  public byte[] weight() {
    return codes.decoded();
  }

  /**
   * @param name full node name
   * @param quantized weight and bias codes
   * @param inputOutliers outlier channels of the input
   * @param outputScale scale of the output's range
   * @param outputOutliers outlier channels of the output, whose multipliers are built for {@code
   *     outputScale·2^k}
   * @param bits 8 or 16
   * @return the node
   */
  public static Linear of(
      String name,
      QuantizedLinear quantized,
      OutlierChannels inputOutliers,
      float outputScale,
      OutlierChannels outputOutliers,
      int bits) {
    int outputs = quantized.bias().length;
    int inputs = quantized.weight().length / outputs;
    Bounds.requireChannels(name, outputOutliers, outputs);
    return new Linear(
        name,
        inputs,
        outputs,
        quantized.codes(),
        quantized.bias(),
        inputOutliers,
        DyadicVector.of(name, quantized.biasScale(), outputScale, outputOutliers),
        bits,
        outputScale);
  }

  /**
   * The classifiers ({@code docs/arithmetic.md#pool-head-and-logits}): all classes of all of them
   * on one scale {@code s_l = float32(max_c(s_b[c]) / 64)}.
   *
   * @param names full node names
   * @param quantized their weight and bias codes
   * @param inputOutliers outlier channels of their input
   * @return the nodes, 32 bits wide and unclamped
   */
  public static List<Linear> logits(
      List<String> names, List<QuantizedLinear> quantized, OutlierChannels inputOutliers) {
    float scale =
        Logits.scale(quantized.stream().map(QuantizedLinear::biasScale).toArray(float[][]::new));
    List<Linear> heads = new ArrayList<>();
    for (int i = 0; i < names.size(); i++) {
      heads.add(of(names.get(i), quantized.get(i), inputOutliers, scale, OutlierChannels.NONE, 32));
    }
    return heads;
  }
}
