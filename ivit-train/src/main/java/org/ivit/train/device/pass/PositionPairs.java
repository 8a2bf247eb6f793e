package org.ivit.train.device.pass;

import org.ivit.core.architecture.Windows;
import org.ivit.core.cuda.Divisor;
import org.ivit.core.cuda.Structure;

/**
 * The pairs of query and key of each relative position of a window.
 *
 * @param first of the pairs of a position, [positions + 1]
 * @param pairs query·tokens + key, position after position
 */
public record PositionPairs(int[] first, int[] pairs) {
  private static final class PositionArguments extends Structure {
    private final Field<Long> sums = address();
    private final Field<Long> first = address();
    private final Field<Long> pairs = address();
    private final Field<Long> to = address();
    private final Field<Divisor> ofHeads = divisor();
    private final Field<Integer> heads = int32();
    private final Field<Integer> positions = int32();
    private final Field<Integer> pairCount = int32();
    private final Field<Integer> added = int32();
  }

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
    PositionArguments a = new PositionArguments();
    a.sums.set(sums);
    a.first.set(firstAt);
    a.pairs.set(pairsAt);
    a.to.set(table);
    a.ofHeads.set(Divisor.of(heads));
    a.heads.set(heads);
    a.positions.set(count);
    a.pairCount.set(square);
    a.added.set(pass.added() ? 1 : 0);
    pass.each("positions_backward", (long) count * heads, 0, a);
  }
}
