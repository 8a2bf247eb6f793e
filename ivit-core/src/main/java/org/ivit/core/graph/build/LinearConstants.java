package org.ivit.core.graph.build;

import java.util.ArrayList;
import java.util.List;
import org.ivit.core.InputException;
import org.ivit.core.arithmetic.Bounds;
import org.ivit.core.arithmetic.DyadicVector;
import org.ivit.core.arithmetic.Logits;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.QuantizedChannels;
import org.ivit.core.graph.Linear;

/**
 * A {@link Linear} without its weight codes, for engines that quantize weights where they lie.
 * Arrays are constants and shared, not to be changed.
 *
 * @param name full node name
 * @param outputs number of output channels
 * @param weightScale scale of each output channel's weight codes
 * @param biasScale scale of each accumulator and of the bias
 * @param bias codes on the accumulator's scale, [outputs]
 * @param inputOutliers input channels whose codes stand for {@code code·2^shift}
 * @param requantization dyadic multiplier of each output channel
 * @param bits width of the output codes, as of {@link Linear}
 * @param outputScale value of one output code step
 */
public record LinearConstants(
    String name,
    int outputs,
    float[] weightScale,
    float[] biasScale,
    int[] bias,
    OutlierChannels inputOutliers,
    DyadicVector requantization,
    int bits,
    float outputScale) {

  /**
   * Builds the constants and proves the bounds.
   *
   * @param name full node name
   * @param channels what became of the weights
   * @param bias codes, [outputs]
   * @param biasScale of the accumulators, [outputs]
   * @param inputOutliers outlier channels of the input
   * @param outputScale scale of the output's range
   * @param outputOutliers outlier channels of the output
   * @param bits 8, 16, or 32 for logits
   * @return the constants of the same node that {@link Linear#of} makes of the codes
   * @throws InputException naming the layer where an accumulator or a logit could pass 31 bits
   */
  public static LinearConstants of(
      String name,
      QuantizedChannels channels,
      int[] bias,
      float[] biasScale,
      OutlierChannels inputOutliers,
      float outputScale,
      OutlierChannels outputOutliers,
      int bits) {
    Bounds.requireChannels(name, outputOutliers, bias.length);
    Bounds.requireChannels(name, inputOutliers, channels.inputs());
    long[] bounds = Bounds.accumulators(channels.sums(), bias, inputOutliers);
    Bounds.proveAccumulators(name, bounds);
    DyadicVector multipliers = DyadicVector.of(name, biasScale, outputScale, outputOutliers);
    if (bits == 32) {
      Bounds.proveLogits(name, bounds, multipliers);
    }
    return new LinearConstants(
        name,
        bias.length,
        channels.scale(),
        biasScale,
        bias,
        inputOutliers,
        multipliers,
        bits,
        outputScale);
  }

  /** The classifiers on one scale, as {@link Linear#logits} builds them. */
  public static List<LinearConstants> logits(
      List<String> names,
      List<QuantizedChannels> channels,
      List<int[]> biases,
      List<float[]> biasScales,
      OutlierChannels inputOutliers) {
    float scale = Logits.scale(biasScales.toArray(float[][]::new));
    List<LinearConstants> heads = new ArrayList<>();
    for (int i = 0; i < names.size(); i++) {
      heads.add(
          of(
              names.get(i),
              channels.get(i),
              biases.get(i),
              biasScales.get(i),
              inputOutliers,
              scale,
              OutlierChannels.NONE,
              32));
    }
    return heads;
  }
}
