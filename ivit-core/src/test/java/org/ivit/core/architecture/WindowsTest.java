package org.ivit.core.architecture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.ivit.core.Size;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WindowsTest {
  private static Windows square(int resolution, int window, int shift) {
    return new Windows(Size.of(resolution), Size.of(window), Size.of(shift));
  }

  /** The numbers of a 4 × 4 grid rolled by one up and left, cut into four windows. */
  @Test
  void ordersARolledGrid() {
    assertThat(square(4, 2, 1).order())
        .containsExactly(5, 6, 9, 10, 7, 4, 11, 8, 13, 14, 1, 2, 15, 12, 3, 0);
  }

  @Test
  void placesAreTheInverseOfTheOrder() {
    Windows windows = square(12, 4, 2);
    int[] order = windows.order();
    int[] places = windows.places();
    for (int token = 0; token < places.length; token++) {
      assertThat(order[places[token]]).isEqualTo(token);
    }
  }

  /** The published code: regions of the rolled grid, numbered, compared in pairs. */
  @ParameterizedTest
  @CsvSource({"4,2,1", "12,4,2", "14,7,3", "9,3,1"})
  void masksWhereTheRegionsDiffer(int resolution, int window, int shift) {
    Windows windows = square(resolution, window, shift);
    int columns = resolution / window;
    for (int number = 0; number < windows.count(); number++) {
      boolean[] mask = windows.mask(number);
      for (int query = 0; query < windows.tokens(); query++) {
        for (int key = 0; key < windows.tokens(); key++) {
          int[] regions = new int[2];
          int[] tokens = {query, key};
          for (int i = 0; i < 2; i++) {
            int row = number / columns * window + tokens[i] / window;
            int column = number % columns * window + tokens[i] % window;
            regions[i] =
                3 * region(row, resolution, window, shift)
                    + region(column, resolution, window, shift);
          }
          boolean masked = mask != null && mask[query * windows.tokens() + key];
          assertThat(masked).isEqualTo(regions[0] != regions[1]);
        }
      }
    }
  }

  private static int region(int at, int resolution, int window, int shift) {
    return at < resolution - window ? 0 : at < resolution - shift ? 1 : 2;
  }

  @Test
  void indexesTheTableByTheDistance() {
    int[] index = square(2, 2, 0).relativeIndex();
    assertThat(index).containsExactly(4, 3, 1, 0, 5, 4, 2, 1, 7, 6, 4, 3, 8, 7, 5, 4);
  }

  @Test
  void aSmallGridIsOneWindowThatDoesNotShift() {
    assertThat(Windows.of(Size.of(7), 7, true)).isEqualTo(square(7, 7, 0));
    assertThat(Windows.of(Size.of(4), 7, true)).isEqualTo(square(4, 4, 0));
    assertThat(Windows.of(Size.of(14), 7, true)).isEqualTo(square(14, 7, 3));
    assertThat(Windows.of(Size.of(14), 7, false).mask(3)).isNull();
  }

  @Test
  void refusesWhatDoesNotDivide() {
    assertThatThrownBy(() -> square(9, 4, 0)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> square(8, 4, 4)).isInstanceOf(IllegalArgumentException.class);
  }
}
