package org.ivit.core.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** Windows of any size, odd ones too, against the definitions of the published code. */
class WindowsPropertiesTest {
  @Provide
  static Arbitrary<Windows> windows() {
    return Arbitraries.integers()
        .between(1, 9)
        .flatMap(
            window ->
                Arbitraries.integers()
                    .between(1, 5)
                    .flatMap(
                        count ->
                            Arbitraries.integers()
                                .between(0, window - 1)
                                .map(shift -> new Windows(count * window, window, shift))));
  }

  /** The grid of token numbers, rolled up and left. */
  private static int[][] rolled(Windows w) {
    int n = w.resolution();
    int[][] grid = new int[n][n];
    for (int row = 0; row < n; row++) {
      for (int column = 0; column < n; column++) {
        grid[Math.floorMod(row - w.shift(), n)][Math.floorMod(column - w.shift(), n)] =
            row * n + column;
      }
    }
    return grid;
  }

  @Property(tries = 300)
  void theOrderIsARollAndACutIntoWindows(@ForAll("windows") Windows w) {
    int[][] grid = rolled(w);
    int[] order = w.order();
    int i = 0;
    for (int top = 0; top < w.resolution(); top += w.window()) {
      for (int left = 0; left < w.resolution(); left += w.window()) {
        for (int row = top; row < top + w.window(); row++) {
          for (int column = left; column < left + w.window(); column++) {
            assertThat(order[i++]).isEqualTo(grid[row][column]);
          }
        }
      }
    }
    assertThat(i).isEqualTo(order.length);
    int[] places = w.places();
    for (int token = 0; token < places.length; token++) {
      assertThat(order[places[token]]).isEqualTo(token);
    }
  }

  /** In an unrolled picture the tokens of a window would be as far apart as in the window. */
  @Property(tries = 300)
  void aPairIsMaskedWhereTheRollBroughtItTogether(@ForAll("windows") Windows w) {
    int side = w.window();
    int[] order = w.order();
    for (int number = 0; number < w.count(); number++) {
      boolean[] mask = w.mask(number);
      boolean any = false;
      for (int query = 0; query < w.tokens(); query++) {
        int from = order[number * w.tokens() + query];
        for (int key = 0; key < w.tokens(); key++) {
          int to = order[number * w.tokens() + key];
          boolean together =
              from / w.resolution() - to / w.resolution() == query / side - key / side
                  && from % w.resolution() - to % w.resolution() == query % side - key % side;
          any |= !together;
          assertThat(mask != null && mask[query * w.tokens() + key]).isEqualTo(!together);
        }
      }
      assertThat(mask != null).isEqualTo(any);
    }
  }

  @Property(tries = 100)
  void pairsOfOneDistanceShareARowOfTheTable(@ForAll("windows") Windows w) {
    int side = w.window();
    int[] index = w.relativeIndex();
    int[] rowOfDistance = new int[w.relativePositions()];
    Arrays.fill(rowOfDistance, -1);
    for (int query = 0; query < w.tokens(); query++) {
      for (int key = 0; key < w.tokens(); key++) {
        int rows = query / side - key / side;
        int columns = query % side - key % side;
        int found = index[query * w.tokens() + key];
        assertThat(found).isEqualTo((rows + side - 1) * (2 * side - 1) + columns + side - 1);
        assertThat(found + index[key * w.tokens() + query]).isEqualTo(w.relativePositions() - 1);
        rowOfDistance[found] = found;
      }
    }
    // Every row of the table is read.
    assertThat(rowOfDistance).doesNotContain(-1);
  }
}
