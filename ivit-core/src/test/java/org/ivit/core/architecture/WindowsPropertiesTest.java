package org.ivit.core.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.ivit.core.Size;

/** Windows of any size, odd and oblong ones too, against the definitions of the published code. */
class WindowsPropertiesTest {
  /** One axis: windows, tokens of a window, shift. */
  private record Axis(int count, int window, int shift) {}

  private static Arbitrary<Axis> axis() {
    return Combinators.combine(
            Arbitraries.integers().between(1, 4),
            Arbitraries.integers().between(1, 7),
            Arbitraries.integers().between(0, 6))
        .as((count, window, shift) -> new Axis(count, window, shift % window));
  }

  @Provide
  static Arbitrary<Windows> windows() {
    return Combinators.combine(axis(), axis())
        .as(
            (rows, columns) ->
                new Windows(
                    new Size(rows.count * rows.window, columns.count * columns.window),
                    new Size(rows.window, columns.window),
                    new Size(rows.shift, columns.shift)));
  }

  /** The grid of token numbers, rolled up and left. */
  private static int[][] rolled(Windows w) {
    int height = w.resolution().height();
    int width = w.resolution().width();
    int[][] grid = new int[height][width];
    for (int row = 0; row < height; row++) {
      for (int column = 0; column < width; column++) {
        int up = Math.floorMod(row - w.shift().height(), height);
        int left = Math.floorMod(column - w.shift().width(), width);
        grid[up][left] = row * width + column;
      }
    }
    return grid;
  }

  @Property(tries = 300)
  void theOrderIsARollAndACutIntoWindows(@ForAll("windows") Windows w) {
    int[][] grid = rolled(w);
    int[] order = w.order();
    int i = 0;
    for (int top = 0; top < w.resolution().height(); top += w.window().height()) {
      for (int left = 0; left < w.resolution().width(); left += w.window().width()) {
        for (int row = top; row < top + w.window().height(); row++) {
          for (int column = left; column < left + w.window().width(); column++) {
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
    int width = w.resolution().width();
    int side = w.window().width();
    int[] order = w.order();
    for (int number = 0; number < w.count(); number++) {
      boolean[] mask = w.mask(number);
      boolean any = false;
      for (int query = 0; query < w.tokens(); query++) {
        int from = order[number * w.tokens() + query];
        for (int key = 0; key < w.tokens(); key++) {
          int to = order[number * w.tokens() + key];
          boolean together =
              from / width - to / width == query / side - key / side
                  && from % width - to % width == query % side - key % side;
          any |= !together;
          assertThat(mask != null && mask[query * w.tokens() + key]).isEqualTo(!together);
        }
      }
      assertThat(mask != null).isEqualTo(any);
    }
  }

  @Property(tries = 100)
  void pairsOfOneDistanceShareARowOfTheTable(@ForAll("windows") Windows w) {
    int height = w.window().height();
    int width = w.window().width();
    int[] index = w.relativeIndex();
    int[] rowOfDistance = new int[w.relativePositions()];
    Arrays.fill(rowOfDistance, -1);
    for (int query = 0; query < w.tokens(); query++) {
      for (int key = 0; key < w.tokens(); key++) {
        int rows = query / width - key / width;
        int columns = query % width - key % width;
        int found = index[query * w.tokens() + key];
        assertThat(found).isEqualTo((rows + height - 1) * (2 * width - 1) + columns + width - 1);
        assertThat(found + index[key * w.tokens() + query]).isEqualTo(w.relativePositions() - 1);
        rowOfDistance[found] = found;
      }
    }
    // Every row of the table is read.
    assertThat(rowOfDistance).doesNotContain(-1);
  }
}
