package org.ivit.core.weight;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.ivit.core.InputException;
import org.ivit.core.testing.RandomGrids;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WeightGridTest {
  @Property(tries = 300)
  void nearestIsTheFirstOfTheNearest(
      @ForAll @IntRange(min = 0) int seed, @ForAll @IntRange(min = 1, max = 70) int inputs) {
    Random random = new Random(seed);
    WeightGrid grid = RandomGrids.of(random, 3, inputs);
    int output = random.nextInt(3);
    int input = random.nextInt(inputs);
    // Halves are ties between neighbours.
    for (double value = -140; value <= 140; value += 0.25) {
      int best = 0;
      for (int i = 1; i < 1 << grid.bits(); i++) {
        if (Math.abs(grid.code(output, input, i) - value)
            < Math.abs(grid.code(output, input, best) - value)) {
          best = i;
        }
      }
      assertThat(grid.nearest(output, input, value)).as("%s at %s", grid, value).isEqualTo(best);
    }
  }

  @Property(tries = 300)
  void codesHaveEightBitsAndNeverFall(
      @ForAll @IntRange(min = 0) int seed, @ForAll @IntRange(min = 1, max = 70) int inputs) {
    WeightGrid grid = RandomGrids.of(new Random(seed), 2, inputs);
    for (int k = 0; k < inputs; k++) {
      int before = Byte.MIN_VALUE;
      for (int i = 0; i < 1 << grid.bits(); i++) {
        int code = grid.code(1, k, i);
        assertThat(code).isBetween(before, (int) Byte.MAX_VALUE);
        before = code;
      }
    }
  }

  /** The greatest multipliers of docs/arithmetic.md, and codes at both ends. */
  @ParameterizedTest
  @CsvSource({"4,0,15,-120,105", "5,2,31,-124,116", "6,3,31,-124,120", "2,7,127,-2,1"})
  void groupsReachAsFarAsEightBitsDo(int bits, int shift, int most, int least, int greatest) {
    assertThat(GroupGrid.most(bits, shift)).isEqualTo(most);
    GroupGrid grid = new GroupGrid(bits, 1, 32, shift, new byte[] {(byte) most});
    assertThat(grid.code(0, 0, 0)).isEqualTo(least);
    assertThat(grid.code(0, 0, (1 << bits) - 1)).isEqualTo(greatest);
    assertThat(grid.code(0, 0, 1 << (bits - 1))).isZero();
    assertThatThrownBy(() -> new GroupGrid(bits, 1, 32, shift, new byte[] {0}))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("multiplier 0 is 0, expected 1 to " + most);
    if (most < Byte.MAX_VALUE) {
      assertThatThrownBy(() -> new GroupGrid(bits, 1, 32, shift, new byte[] {(byte) (most + 1)}))
          .isInstanceOf(InputException.class);
    }
  }

  @Test
  void groupsAreRoundedHalfUp() {
    GroupGrid grid = new GroupGrid(4, 40, 32, 1, new byte[] {3, 5});
    assertThat(grid.code(0, 0, 9)).isEqualTo(2);
    assertThat(grid.code(0, 0, 7)).isEqualTo(-1);
    assertThat(grid.code(0, 31, 9)).isEqualTo(2);
    assertThat(grid.code(0, 32, 9)).isEqualTo(3);
  }

  @Test
  void rowsKeepTheirCodes() {
    Random random = new Random(5);
    int[] order = {2, 0, 2, 1};
    for (int t = 0; t < 30; t++) {
      WeightGrid grid = RandomGrids.of(random, 3, 37);
      WeightGrid rows = grid.rows(order);
      rows.requireSize("rows", 4, 37);
      for (int c = 0; c < order.length; c++) {
        for (int i = 0; i < 1 << grid.bits(); i++) {
          assertThat(rows.code(c, 33, i)).isEqualTo(grid.code(order[c], 33, i));
        }
      }
    }
  }

  @Test
  void whatDoesNotFitIsRefused() {
    byte[] falling = new byte[32];
    falling[20] = 1;
    assertThatThrownBy(() -> new TableGrid(4, falling))
        .isInstanceOf(InputException.class)
        .hasMessage("weight table: channel 1: code 5 is 0, expected at least the 1 before it");
    assertThatThrownBy(() -> new TableGrid(4, new byte[17])).isInstanceOf(InputException.class);
    assertThatThrownBy(() -> new UniformGrid(8))
        .isInstanceOf(InputException.class)
        .hasMessage("weight bits: found 8, expected 2 to 7");
    assertThatThrownBy(() -> new UniformGrid(1)).isInstanceOf(InputException.class);
    assertThatThrownBy(() -> new GroupGrid(4, 5, 0, 0, new byte[1]))
        .isInstanceOf(InputException.class);
    assertThatThrownBy(() -> new GroupGrid(4, 5, 1 << 30, 0, new byte[1]))
        .isInstanceOf(InputException.class);
    assertThatThrownBy(() -> new GroupGrid(4, 5, 32, 8, new byte[1]))
        .isInstanceOf(InputException.class);
    assertThatThrownBy(() -> new GroupGrid(4, 33, 32, 0, new byte[] {1, 1, 1}))
        .isInstanceOf(InputException.class);
    assertThatThrownBy(() -> new TableGrid(4, new byte[16]).requireSize("fc", 2, 5))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("fc: found 16 codes");
    assertThatThrownBy(() -> new GroupGrid(4, 5, 32, 0, new byte[] {1}).requireSize("fc", 1, 6))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("fc: found 1 multipliers");
  }
}
