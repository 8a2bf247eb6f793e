package org.ivit.core.graph;

import org.ivit.core.arithmetic.Activation;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.OutlierChannels;

/**
 * GELU from 8-bit codes of {@code mlp.fc1} to 8-bit codes of {@code mlp.act} ({@code
 * docs/arithmetic.md#gelu}).
 */
public sealed interface Gelu permits GeluTable, GeluRow {
  /** Returns the full node name, such as {@code blocks.0.mlp.act}. */
  String name();

  /** Returns the value of one output code step. */
  float outputScale();

  /** Returns the output channels whose codes have the scale {@code outputScale·2^k}. */
  OutlierChannels outputOutliers();

  /**
   * @param name full node name
   * @param form form of GELU
   * @param function the function of forms {@code exact} and {@code asymmetric}
   * @param inputScale scale of {@code mlp.fc1}
   * @param inputOutliers outlier channels of {@code mlp.fc1}
   * @param outputScale scale of {@code mlp.act}
   * @param outputOutliers outlier channels of {@code mlp.act}: the same channels
   * @return the node
   */
  static Gelu of(
      String name,
      GeluForm form,
      Activation function,
      float inputScale,
      OutlierChannels inputOutliers,
      float outputScale,
      OutlierChannels outputOutliers) {
    return form == GeluForm.ROW
        ? GeluRow.of(name, inputScale, outputScale)
        : GeluTable.of(
            name, form, function, inputScale, inputOutliers, outputScale, outputOutliers);
  }
}
