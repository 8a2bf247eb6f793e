package org.ivit.core.arithmetic;

import org.ivit.core.InputException;
import org.ivit.core.weight.WeightCodes;

/**
 * Integer weights of a linear layer. The arrays are not copied.
 *
 * @param weight [outputs][inputs], 8 bits
 * @param weightScale [outputs] scale of each output channel
 * @param bias [outputs], zeros where there is none
 * @param biasScale [outputs] float32(s_w·s_x): the scale of the accumulator and of the bias
 * @param raised output channels, ascending, whose weight scale was raised to hold the bias
 * @param codes the same weights as they are stored: as indices, where they have fewer than 8 bits
 */
public record QuantizedLinear(
    byte[] weight,
    float[] weightScale,
    int[] bias,
    float[] biasScale,
    int[] raised,
    WeightCodes codes) {

  /** Weights of 8 bits; parameters as those of the record. */
  public QuantizedLinear(
      byte[] weight, float[] weightScale, int[] bias, float[] biasScale, int[] raised) {
    this(weight, weightScale, bias, biasScale, raised, WeightCodes.of(weight, bias.length));
  }

  /**
   * The same layer for input codes c that stand for c + offset: {@code bias + offset·Σ_rest w +
   * (outlierOffset·Σ_outliers w) << k}.
   *
   * @param name the layer, for messages
   * @param offset of the codes
   * @param outliers channels whose codes have the scale s·2^k
   * @param outlierOffset of the codes of those channels
   * @throws InputException if a bias would not fit 32 bits
   */
  public QuantizedLinear withInputOffset(
      String name, int offset, OutlierChannels outliers, int outlierOffset) {
    int[] moved =
        ChannelSums.of(weight, bias.length, outliers)
            .withInputOffset(name, bias, offset, outliers, outlierOffset);
    return new QuantizedLinear(weight, weightScale, moved, biasScale, raised, codes);
  }
}
