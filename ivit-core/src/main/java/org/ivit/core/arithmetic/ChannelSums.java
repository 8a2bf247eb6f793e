package org.ivit.core.arithmetic;

import org.ivit.core.InputException;

/**
 * Sums over the weight codes of each output channel of a linear layer: all that its bounds, and an
 * offset of its input's codes, take from them. The arrays are not copied.
 *
 * @param magnitude [outputs] Σ|w| over the inputs that are no outlier channels
 * @param outlierMagnitude [outputs] Σ|w| over outlier channels
 * @param code [outputs] Σw over the inputs that are no outlier channels
 * @param outlierCode [outputs] Σw over outlier channels
 */
public record ChannelSums(int[] magnitude, int[] outlierMagnitude, int[] code, int[] outlierCode) {

  /**
   * @param weight codes, [outputs][inputs]
   * @param outputs number of output channels
   * @param outliers channels of the input
   * @return their sums
   */
  public static ChannelSums of(byte[] weight, int outputs, OutlierChannels outliers) {
    int inputs = weight.length / outputs;
    ChannelSums sums =
        new ChannelSums(new int[outputs], new int[outputs], new int[outputs], new int[outputs]);
    for (int c = 0; c < outputs; c++) {
      for (int k = 0; k < inputs; k++) {
        sums.magnitude[c] += Math.abs(weight[c * inputs + k]);
        sums.code[c] += weight[c * inputs + k];
      }
      for (int k : outliers.channels()) {
        sums.outlierMagnitude[c] += Math.abs(weight[c * inputs + k]);
        sums.outlierCode[c] += weight[c * inputs + k];
      }
      sums.magnitude[c] -= sums.outlierMagnitude[c];
      sums.code[c] -= sums.outlierCode[c];
    }
    return sums;
  }

  /**
   * Biases for input codes c that stand for c + offset: {@code bias + offset·Σ_rest w +
   * (outlierOffset·Σ_outliers w) << k}.
   *
   * @param name the layer, for messages
   * @param bias [outputs]
   * @param offset of the codes
   * @param outliers channels whose codes have the scale s·2^k
   * @param outlierOffset of the codes of those channels
   * @return [outputs]
   * @throws InputException if a bias would not fit 32 bits
   */
  public int[] withInputOffset(
      String name, int[] bias, int offset, OutlierChannels outliers, int outlierOffset) {
    int[] moved = new int[bias.length];
    for (int c = 0; c < moved.length; c++) {
      long sum =
          bias[c]
              + (long) offset * code[c]
              + (((long) outlierOffset * outlierCode[c]) << outliers.shift());
      if (sum != (int) sum) {
        throw new InputException(
            "%s: the bias of channel %d with its input's offset is %d, expected 32 bits"
                .formatted(name, c, sum));
      }
      moved[c] = (int) sum;
    }
    return moved;
  }
}
