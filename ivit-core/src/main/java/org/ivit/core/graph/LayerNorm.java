package org.ivit.core.graph;

import org.ivit.core.arithmetic.Bounds;
import org.ivit.core.arithmetic.ILayerNorm;
import org.ivit.core.arithmetic.OutlierChannels;

/**
 * I-LayerNorm over the channels ({@code docs/arithmetic.md#layernorm}), with 8-bit or 16-bit output
 * codes.
 *
 * @param name full node name, such as {@code blocks.0.norm1}
 * @param channels number of channels
 * @param constants multipliers, offsets and the one shift
 * @param outputOutliers output channels whose codes have the scale {@code outputScale·2^k}
 * @param outputScale value of one output code step
 */
public record LayerNorm(
    String name,
    int channels,
    ILayerNorm.Constants constants,
    OutlierChannels outputOutliers,
    float outputScale) {

  /** Checks the lengths of the constants. */
  public LayerNorm {
    GraphChecks.length(name + " multipliers", constants.multiplier().length, channels);
    GraphChecks.length(name + " offsets", constants.offset().length, channels);
    Bounds.requireChannels(name, outputOutliers, channels);
  }

  /**
   * @param name full node name
   * @param gamma weight, [channels]
   * @param beta bias, [channels]
   * @param epsilon E, what is added to the sum of squares; 0 for nothing
   * @param outputScale scale of the output's range
   * @param outliers outlier channels of the output
   * @return the node
   */
  public static LayerNorm of(
      String name,
      float[] gamma,
      float[] beta,
      long epsilon,
      float outputScale,
      OutlierChannels outliers) {
    return new LayerNorm(
        name,
        gamma.length,
        ILayerNorm.constants(name, gamma, beta, epsilon, outputScale, outliers),
        outliers,
        outputScale);
  }
}
