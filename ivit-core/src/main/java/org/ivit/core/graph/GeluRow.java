package org.ivit.core.graph;

import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.arithmetic.ShiftGelu;

/**
 * The paper's ShiftGELU, whose sigmoid depends on the row's maximum: form {@code row}.
 *
 * @param name full node name
 * @param constants s', x0 and n of {@code docs/arithmetic.md#gelu}
 * @param sigmoid 7-bit sigmoids, index = (row maximum + 128)·256 + code + 128
 * @param requantization from {@code x·σ}, scale {@code float32(s/128)}, to the output codes
 * @param outputScale value of one output code step
 */
public record GeluRow(
    String name,
    ShiftGelu.RowConstants constants,
    short[] sigmoid,
    Dyadic requantization,
    float outputScale)
    implements Gelu {

  /** Checks the table's length. */
  public GeluRow {
    GraphChecks.length(name + " sigmoid", sigmoid.length, 256 * 256);
  }

  static GeluRow of(String name, float inputScale, float outputScale) {
    ShiftGelu.RowConstants constants = ShiftGelu.RowConstants.of(inputScale);
    return new GeluRow(
        name,
        constants,
        ShiftGelu.sigmoidRowTable(constants),
        ShiftGelu.multiplier(inputScale, outputScale),
        outputScale);
  }

  @Override
  public OutlierChannels outputOutliers() {
    return OutlierChannels.NONE;
  }

  /**
   * @param code input code
   * @param rowMaximum largest input code of the row
   * @return the 7-bit sigmoid
   */
  public int sigmoid(int code, int rowMaximum) {
    return sigmoid[ShiftGelu.rowIndex(rowMaximum, code)];
  }

  /**
   * @param code input code
   * @param rowMaximum largest input code of the row
   * @return output code
   */
  public byte apply(int code, int rowMaximum) {
    return Quantizer.clamp8(requantization.apply((long) code * sigmoid(code, rowMaximum)));
  }

  /** All output codes, by {@link ShiftGelu#rowIndex}; 0 where a code is above its row's maximum. */
  public byte[] tables() {
    byte[] tables = new byte[sigmoid.length];
    for (int max = -128; max < 128; max++) {
      for (int x = -128; x <= max; x++) {
        tables[ShiftGelu.rowIndex(max, x)] = apply(x, max);
      }
    }
    return tables;
  }
}
