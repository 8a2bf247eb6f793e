package org.ivit.core.engine.cuda.layer;

import org.ivit.core.cuda.Launch;
import org.ivit.core.cuda.Structure;
import org.ivit.core.graph.GeluRow;
import org.ivit.core.graph.GeluTable;

/**
 * GELU's tables on the device.
 *
 * @param address of one table, of one and that of the outliers, or of one for each row maximum
 * @param outliers number of outlier channels, which lie first
 */
public record GeluTables(long address, int outliers) {
  private static final int WARPS = 4;

  private static final class GeluRowArguments extends Structure {
    private final Field<Long> tables = address();
    private final Field<Long> codes = address();
    private final Field<Integer> rows = int32();
    private final Field<Integer> channels = int32();
    private final Field<Integer> stride = int32();
    private final Field<Integer> unused = unused();
  }

  public static GeluTables of(Constants constants, GeluTable gelu) {
    byte[] both = new byte[gelu.outputOutliers().isEmpty() ? 256 : 512];
    System.arraycopy(gelu.table(), 0, both, 0, 256);
    System.arraycopy(gelu.outlierTable(), 0, both, 256, gelu.outlierTable().length);
    return new GeluTables(constants.bytes(both), gelu.outputOutliers().channels().length);
  }

  public static GeluTables of(Constants constants, GeluRow gelu) {
    return new GeluTables(constants.bytes(gelu.tables()), 0);
  }

  /** The paper's form over rows of codes, in place. */
  public Launch byRow(long codes, int rows, int channels, int stride) {
    GeluRowArguments a = new GeluRowArguments();
    a.tables.set(address);
    a.codes.set(codes);
    a.rows.set(rows);
    a.channels.set(channels);
    a.stride.set(stride);
    return new Launch("gelu_row", (rows + WARPS - 1) / WARPS, 1, 1, WARPS * 32, 0, a.bytes());
  }
}
