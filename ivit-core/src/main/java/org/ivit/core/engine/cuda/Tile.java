package org.ivit.core.engine.cuda;

/** Sizes of a block's share of a product; those of {@code TileShape} in C++. */
public enum Tile {
  LARGE(128, 128, 256, 3),
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
   * @param from the largest that may be
   */
  public static Tile of(Tile from, int rows, int columns, int multiprocessors) {
    for (Tile tile : values()) {
      if (tile.compareTo(from) >= 0
          && (long) tile.down(rows) * tile.across(columns) >= multiprocessors) {
        return tile;
      }
    }
    return SMALL;
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
