package org.ivit.core.engine.cuda.layer;

import org.ivit.core.cuda.Device;

/** Sizes of a block's share of a product; those of {@code TileShape} in C++. */
public enum Tile {
  LARGE(128, 128, 256, 3, 1),
  WARPGROUP(128, 128, 256, 4, 1),
  MEDIUM(64, 64, 128, 4, 1),
  SMALL(32, 32, 128, 4, 1),

  /** As SMALL, with four groups of warps that multiply a quarter of K each. */
  SLICED(32, 32, 512, 3, 4);

  /** Bytes of K in a stage. */
  public static final int DEPTH = 64;

  /** Stages of a slice from which on it is worth its barrier, derived. */
  private static final int LEAST_STAGES = 2;

  /** Columns to which weights are padded, so that any tile may read them. */
  public static final int PADDED_COLUMNS = 128;

  private final int rows;
  private final int columns;
  private final int threads;
  private final int stages;
  private final int slices;

  Tile(int rows, int columns, int threads, int stages, int slices) {
    this.rows = rows;
    this.columns = columns;
    this.threads = threads;
    this.stages = stages;
    this.slices = slices;
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

  /**
   * Whether blocks of this one, which split K, take the place of others: where those are small, and
   * so few that a multiprocessor has at most two, whose stages wait for memory one after the other.
   *
   * @param device to be kept busy
   * @param other tile that suits else
   * @param depth bytes of K
   */
  boolean suits(Device device, Tile other, int rowCount, int columnCount, int depth) {
    return other == SMALL
        && (long) down(rowCount) * across(columnCount) <= 2L * device.multiprocessors()
        && depth >= LEAST_STAGES * slices * DEPTH;
  }

  private boolean fills(Device device, int rowCount, int columnCount) {
    return (long) down(rowCount) * across(columnCount) >= device.multiprocessors();
  }

  /** Returns rows of the output that a block computes. */
  public int rows() {
    return rows;
  }

  /** Returns columns of the output that a block computes. */
  public int columns() {
    return columns;
  }

  /** Returns groups of warps that share K. */
  public int slices() {
    return slices;
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

  /** Returns bytes of the pipeline's stages. */
  public int sharedBytes() {
    return slices * stages * (rows + columns) * DEPTH;
  }

  /** Returns bytes of the pipeline's stages, or of a tile of the output that takes their place. */
  public int sharedBytes(int outputBytes) {
    return Math.max(sharedBytes(), rows * (columns * outputBytes + 16));
  }

  /** Returns how the kernel for it is named. */
  public String kernel(String epilogue) {
    return "linear_" + epilogue + "_" + name().toLowerCase(java.util.Locale.ROOT);
  }
}
