package org.ivit.core.engine.cuda.layer;

import org.ivit.core.cuda.Device;

/** Sizes of a block's share of a product; those of {@code TileShape} in C++. */
public enum Tile {
  LARGE(128, 128, 256, 3),
  WARPGROUP(128, 128, 256, 4),
  MEDIUM(64, 64, 128, 4),
  SMALL(32, 32, 128, 4);

  private static final int DEPTH = 64;

  /** Columns to which weights are padded, so that any tile may read them. */
  public static final int PADDED_COLUMNS = 128;

  private final int rows;
  private final int columns;
  private final int threads;
  private final int stages;

  Tile(int rows, int columns, int threads, int stages) {
    this.rows = rows;
    this.columns = columns;
    this.threads = threads;
    this.stages = stages;
  }

  /**
   * The largest tile of which there are enough to keep the device busy, or the smallest.
   *
   * @param device to be kept busy
   * @param large whether the largest may be
   */
  public static Tile of(Device device, boolean large, int rows, int columns) {
    Tile largest = device.warpgroups() ? WARPGROUP : LARGE;
    if (large && largest.fills(device, rows, columns)) {
      return largest;
    }
    return MEDIUM.fills(device, rows, columns) ? MEDIUM : SMALL;
  }

  private boolean fills(Device device, int rowCount, int columnCount) {
    return (long) down(rowCount) * across(columnCount) >= device.multiprocessors();
  }

  /** Returns tiles that cover so many rows. */
  public int down(int count) {
    return (count + rows - 1) / rows;
  }

  /** Returns tiles that cover so many columns. */
  public int across(int count) {
    return (count + columns - 1) / columns;
  }

  /** Returns threads of a block. */
  public int threads() {
    return threads;
  }

  /** Returns bytes of the pipeline's stages, or of a tile of the output that takes their place. */
  public int sharedBytes(int outputBytes) {
    return Math.max(stages * (rows + columns) * DEPTH, rows * (columns * outputBytes + 16));
  }

  /** Returns how the kernel for it is named. */
  public String kernel(String epilogue) {
    return "linear_" + epilogue + "_" + name().toLowerCase(java.util.Locale.ROOT);
  }
}
