package org.ivit.core.engine.portable;

import org.ivit.core.arithmetic.ShiftGelu;
import org.ivit.core.graph.Gelu;
import org.ivit.core.graph.GeluRow;
import org.ivit.core.graph.GeluTable;

/** GELU of rows of 8-bit codes, by a table of final codes; form row has one for each maximum. */
final class GeluKernel {
  private final int channels;

  /** [256], or [row maximum + 128][256]. */
  private final byte[] table;

  private final boolean byMaximum;
  private final int[] outliers;
  private final byte[] outlierTable;

  GeluKernel(Gelu gelu, int channels) {
    this.channels = channels;
    if (gelu instanceof GeluTable fixed) {
      table = fixed.table();
      byMaximum = false;
      outliers = fixed.outputOutliers().channels();
      outlierTable = fixed.outlierTable();
    } else {
      table = ((GeluRow) gelu).tables();
      byMaximum = true;
      outliers = new int[0];
      outlierTable = new byte[0];
    }
  }

  /**
   * @param x a row of codes from {@code at}
   * @param out receives the row from {@code at}; another array
   */
  void row(byte[] x, int at, byte[] out) {
    int zero = byMaximum ? ShiftGelu.rowIndex(ShiftGelu.rowMax(x, at, channels), 0) : 128;
    for (int c = at; c < at + channels; c++) {
      out[c] = table[zero + x[c]];
    }
    for (int channel : outliers) {
      out[at + channel] = outlierTable[x[at + channel] + 128];
    }
  }
}
