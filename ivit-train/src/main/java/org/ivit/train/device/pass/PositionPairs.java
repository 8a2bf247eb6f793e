package org.ivit.train.device.pass;

import org.ivit.core.architecture.Windows;
import org.ivit.core.cuda.Arguments;

/**
 * The pairs of query and key of each relative position of a window.
 *
 * @param first of the pairs of a position, [positions + 1]
 * @param pairs query·tokens + key, position after position
 */
public record PositionPairs(int[] first, int[] pairs) {
  public static PositionPairs of(Windows windows) {
    int[] relative = windows.relativeIndex();
    int positions = windows.relativePositions();
    int[] first = new int[positions + 1];
    for (int position : relative) {
      first[position + 1]++;
    }
    for (int p = 0; p < positions; p++) {
      first[p + 1] += first[p];
    }
    int[] next = first.clone();
    int[] sorted = new int[relative.length];
    for (int i = 0; i < relative.length; i++) {
      sorted[next[relative[i]]++] = i;
    }
    return new PositionPairs(first, sorted);
  }

  /**
   * Sums gradients by biased scores into that of the table.
   *
   * @param gradient [groups][heads][query][key]
   * @param firstAt address of {@link #first}
   * @param pairsAt address of {@link #pairs}
   * @param table address of the table's gradient, [positions][heads]
   */
  public static void backward(
      Pass pass,
      Windows windows,
      int heads,
      int groups,
      long gradient,
      long firstAt,
      long pairsAt,
      long table) {
    int square = windows.tokens() * windows.tokens();
    int columns = heads * square;
    long sums = pass.scratch.of("positions", columns, 4);
    pass.columnSums(gradient, groups, columns, columns, sums, false);
    int count = windows.relativePositions();
    pass.each(
        "positions_backward",
        (long) count * heads,
        0,
        new Arguments()
            .address(sums)
            .address(firstAt)
            .address(pairsAt)
            .address(table)
            .ints(heads, count, square, pass.added() ? 1 : 0));
  }
}
