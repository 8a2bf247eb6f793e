package org.ivit.core.engine.cuda;

/**
 * Instructions of a warp along the common path of machine code for sm_90a, as they were walked in
 * the listings of {@code cuobjdump} (docs/performance.md); those of other targets differ by a few
 * in a hundred.
 */
final class CountedPaths {
  private static final int WALKED_TOKENS = 197;
  private static final int KEYS = 32;

  private CountedPaths() {}

  /**
   * Attention of sixteen queries, without what a block loads. Walked for 197 tokens of 64 channels;
   * others by the steps of 32 keys, and one and a half times as many with windows, by the length of
   * the loops.
   *
   * @param kernel its name
   * @param tokens that a query sees
   */
  static double attention(String kernel, int tokens) {
    double walked = kernel.contains("_deferred") ? 1868 : 2500;
    double windows = kernel.endsWith("_windows") ? 1.5 : 1;
    return walked * windows * steps(tokens) / steps(WALKED_TOKENS);
  }

  private static int steps(int tokens) {
    return (tokens + KEYS - 1) / KEYS;
  }

  /**
   * A round of a product's loop. As it stands in the code it holds each step twice or more, for
   * layers whose outlier channels end in it; walked were 155 of 395 for a large tile, and 58 of 106
   * for a small one.
   *
   * @param kernel its name
   * @param standing instructions of the loop in the code
   */
  static double loop(String kernel, int standing) {
    return kernel.endsWith("_large") ? 155.0 / 395 * standing : 58.0 / 106 * standing;
  }

  /**
   * What follows a product, an output. Walked for the 2048 outputs of a warp of a large tile.
   *
   * @param kernel its name
   * @param gelu whether codes go through a table
   */
  static double epilogue(String kernel, boolean gelu) {
    double walked = kernel.startsWith("linear_codes") ? (gelu ? 412 : 230) : 750;
    return walked / 2048;
  }
}
