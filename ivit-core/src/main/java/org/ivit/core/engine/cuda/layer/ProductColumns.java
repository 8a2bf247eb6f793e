package org.ivit.core.engine.cuda.layer;

import java.util.Arrays;

/**
 * The order in which products have their columns: in each group of 32, column 8j + 2t + b is output
 * 8t + 2j + b, so that a thread of a warp, which has columns 2t and 2t + 1 of every eight, has
 * eight neighbours of the output ({@code Pieces} in C++).
 */
final class ProductColumns {
  private static final int GROUP = 32;

  private ProductColumns() {}

  /**
   * Returns the output channel of each column.
   *
   * @param outputs output channel of each column of the output, -1 for one of zeros
   * @return the same in the order of the product, padded with -1 to whole groups
   */
  static int[] of(int[] outputs) {
    int[] columns = new int[ChannelOrder.roundUp(outputs.length, GROUP)];
    Arrays.fill(columns, -1);
    for (int i = 0; i < outputs.length; i++) {
      int inside = i % GROUP;
      int thread = inside / 8;
      int pair = inside % 8 / 2;
      columns[i - inside + 8 * pair + 2 * thread + inside % 2] = outputs[i];
    }
    return columns;
  }
}
