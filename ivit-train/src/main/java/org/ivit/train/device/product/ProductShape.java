package org.ivit.train.device.product;

/** A block's tile of a product; those of {@code ProductShape} in C++. */
enum ProductShape {
  LARGE(128, 256),
  SMALL(64, 128);

  /** Words along K of a stage of a tile. */
  private static final int WORDS = 16;

  private static final int STAGES = 2;

  /** A large tile's words are read half as often as small ones': worth so much more padding. */
  private static final double WORTH = 1.25;

  private final int side;
  private final int threads;

  ProductShape(int side, int threads) {
    this.side = side;
    this.threads = threads;
  }

  /**
   * Returns the large tile where it wastes little and there are enough to keep the device busy.
   *
   * @param m rows of the product
   * @param n columns
   * @param parts products of that size, or parts of K, that may run side by side
   * @param multiprocessors of the device
   */
  static ProductShape of(int m, int n, long parts, int multiprocessors) {
    boolean fills = LARGE.tiles(m, n) * parts >= multiprocessors;
    return fills && LARGE.area(m, n) <= WORTH * SMALL.area(m, n) ? LARGE : SMALL;
  }

  /** Returns tiles that cover so many rows or columns. */
  int across(int count) {
    return (count + side - 1) / side;
  }

  /** Returns tiles that cover a product. */
  long tiles(int m, int n) {
    return (long) across(m) * across(n);
  }

  private long area(int m, int n) {
    return tiles(m, n) * side * side;
  }

  int threads() {
    return threads;
  }

  int sharedBytes() {
    return STAGES * 2 * side * WORDS * Integer.BYTES;
  }
}
