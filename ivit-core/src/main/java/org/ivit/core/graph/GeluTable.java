package org.ivit.core.graph;

import org.ivit.core.arithmetic.Activation;
import org.ivit.core.arithmetic.AsymmetricGelu;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.ShiftGelu;

/**
 * GELU as a table of final codes: forms {@code element}, {@code exact} and {@code asymmetric}.
 *
 * @param name full node name
 * @param table 256 codes, index = input code + 128
 * @param outlierTable the table of the outlier channels, or an empty array without outliers
 * @param outputOutliers channels that use {@code outlierTable}
 * @param outputScale value of one output code step
 */
public record GeluTable(
    String name,
    byte[] table,
    byte[] outlierTable,
    OutlierChannels outputOutliers,
    float outputScale)
    implements Gelu {

  /** Checks the tables' lengths. */
  public GeluTable {
    GraphChecks.length(name + " table", table.length, 256);
    GraphChecks.length(
        name + " outlier table", outlierTable.length, outputOutliers.isEmpty() ? 0 : 256);
  }

  static GeluTable of(
      String name,
      GeluForm form,
      Activation function,
      float inputScale,
      OutlierChannels inputOutliers,
      float outputScale,
      OutlierChannels outputOutliers) {
    byte[] outlierTable = new byte[0];
    if (!outputOutliers.isEmpty()) {
      outlierTable =
          table(
              form,
              function,
              inputOutliers.outlierScale(inputScale),
              outputOutliers.outlierScale(outputScale));
    }
    return new GeluTable(
        name,
        table(form, function, inputScale, outputScale),
        outlierTable,
        outputOutliers,
        outputScale);
  }

  private static byte[] table(
      GeluForm form, Activation function, float inputScale, float outputScale) {
    return switch (form) {
      case EXACT -> ShiftGelu.exactTable(function, inputScale, outputScale);
      case ASYMMETRIC -> AsymmetricGelu.table(function, inputScale, outputScale);
      case ELEMENT -> ShiftGelu.elementTable(inputScale, outputScale);
      case ROW -> throw new IllegalArgumentException("form row is no table of codes");
    };
  }

  /**
   * @param channel a channel
   * @return the table that it uses
   */
  public byte[] tableOf(int channel) {
    return outputOutliers.contains(channel) ? outlierTable : table;
  }
}
