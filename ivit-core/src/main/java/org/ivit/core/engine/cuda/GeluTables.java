package org.ivit.core.engine.cuda;

import org.ivit.core.arithmetic.ShiftGelu;
import org.ivit.core.cuda.Arguments;
import org.ivit.core.cuda.Launch;
import org.ivit.core.graph.GeluRow;
import org.ivit.core.graph.GeluTable;

/**
 * GELU's tables on the device.
 *
 * @param address of one table, of one and that of the outliers, or of one for each row maximum
 * @param outliers number of outlier channels, which lie first
 */
record GeluTables(long address, int outliers) {
  private static final int WARPS = 4;

  static GeluTables of(Constants constants, GeluTable gelu) {
    byte[] both = new byte[gelu.outputOutliers().isEmpty() ? 256 : 512];
    System.arraycopy(gelu.table(), 0, both, 0, 256);
    System.arraycopy(gelu.outlierTable(), 0, both, 256, gelu.outlierTable().length);
    return new GeluTables(constants.bytes(both), gelu.outputOutliers().channels().length);
  }

  static GeluTables of(Constants constants, GeluRow gelu) {
    byte[] tables = new byte[ShiftGelu.SIZE * ShiftGelu.SIZE];
    for (int max = -128; max < 128; max++) {
      for (int x = -128; x <= max; x++) {
        tables[ShiftGelu.rowIndex(max, x)] = gelu.apply(x, max);
      }
    }
    return new GeluTables(constants.bytes(tables), 0);
  }

  /** The paper's form over rows of codes, in place. */
  Launch byRow(long codes, int rows, int channels, int stride) {
    return new Launch(
        "gelu_row",
        (rows + WARPS - 1) / WARPS,
        1,
        1,
        WARPS * 32,
        0,
        new Arguments().address(address).address(codes).ints(rows, channels, stride, 0).bytes());
  }
}
