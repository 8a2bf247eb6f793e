package org.ivit.core.weight;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.ivit.core.InputException;
import org.ivit.core.testing.RandomGrids;
import org.junit.jupiter.api.Test;

class WeightCodesTest {
  @Property(tries = 300)
  void packedNumbersComeBack(
      @ForAll @IntRange(min = 0) int seed,
      @ForAll @IntRange(min = 1, max = 8) int bits,
      @ForAll @IntRange(min = 1, max = 40) int count) {
    Random random = new Random(seed);
    byte[] numbers = new byte[3 * count];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = (byte) (random.nextBoolean() ? (1 << bits) - 1 : random.nextInt(1 << bits));
    }
    byte[] packed = PackedBits.pack(numbers, count, bits);
    assertThat(packed).hasSize(3 * ((count * bits + 7) / 8));
    assertThat(PackedBits.unpack(packed, count, bits)).isEqualTo(numbers);
    assertThat(PackedBits.untidyRow(packed, count, bits)).isEqualTo(-1);
    if (count * bits % 8 != 0) {
      packed[2 * packed.length / 3 - 1] |= (byte) 0x80;
      assertThat(PackedBits.untidyRow(packed, count, bits)).isEqualTo(1);
    }
  }

  @Test
  void theFirstNumberHasTheLowestBits() {
    assertThat(PackedBits.pack(new byte[] {1, 15, 3}, 3, 4)).containsExactly(0xf1, 3);
    assertThat(PackedBits.pack(new byte[] {31, 0, 1}, 3, 5)).containsExactly(31, 4);
  }

  /** Of one form they stay indices, of two they become codes. */
  @Property(tries = 200)
  void joinedLayersHaveTheCodesOfBoth(
      @ForAll @IntRange(min = 0) int seed, @ForAll @IntRange(min = 1, max = 70) int inputs) {
    Random random = new Random(seed);
    WeightCodes first = indices(random, RandomGrids.of(random, 2, inputs), 2, inputs);
    WeightGrid like = random.nextBoolean() ? first.rows(new int[] {1, 0, 1}).grid() : null;
    WeightGrid grid = like == null ? RandomGrids.of(random, 3, inputs) : like;
    WeightCodes second = indices(random, grid, 3, inputs);
    WeightCodes joined = WeightCodes.joined(first, second);
    byte[] expected = Arrays.copyOf(first.decoded(), 5 * inputs);
    System.arraycopy(second.decoded(), 0, expected, 2 * inputs, 3 * inputs);
    assertThat(joined.decoded()).isEqualTo(expected);
    if (like != null) {
      assertThat(joined.describe()).isEqualTo(first.describe());
    }
    WeightCodes codes = WeightCodes.of(second.decoded(), 3);
    assertThat(WeightCodes.joined(first, codes).decoded()).isEqualTo(expected);
    assertThat(WeightCodes.joined(first, codes).grid()).isNull();
  }

  private static WeightCodes indices(Random random, WeightGrid grid, int outputs, int inputs) {
    byte[] indices = new byte[outputs * inputs];
    for (int i = 0; i < indices.length; i++) {
      indices[i] = (byte) random.nextInt(1 << grid.bits());
    }
    byte[] packed = PackedBits.pack(indices, inputs, grid.bits());
    return new WeightCodes(outputs, inputs, grid, packed);
  }

  @Property(tries = 200)
  void codesOnTheGridComeBack(
      @ForAll @IntRange(min = 0) int seed,
      @ForAll @IntRange(min = 1, max = 5) int outputs,
      @ForAll @IntRange(min = 1, max = 70) int inputs) {
    Random random = new Random(seed);
    WeightGrid grid = RandomGrids.of(random, outputs, inputs);
    byte[] codes = new byte[outputs * inputs];
    for (int i = 0; i < codes.length; i++) {
      codes[i] = (byte) grid.code(i / inputs, i % inputs, random.nextInt(1 << grid.bits()));
    }
    WeightCodes held = WeightCodes.of(grid, codes, outputs);
    assertThat(held.decoded()).isEqualTo(codes);
    assertThat(held.bits()).isEqualTo(grid.bits());
    int[] order = random.ints(4, 0, outputs).toArray();
    byte[] rows = held.rows(order).decoded();
    assertThat(rows).isEqualTo(WeightCodes.of(codes, outputs).rows(order).decoded());
    for (int c = 0; c < order.length; c++) {
      for (int k = 0; k < inputs; k++) {
        assertThat(rows[c * inputs + k]).isEqualTo(codes[order[c] * inputs + k]);
      }
    }
  }

  @Test
  void whatIsNotOnTheGridIsAnErrorOfTheProgram() {
    assertThatThrownBy(() -> WeightCodes.of(new UniformGrid(4), new byte[] {7, 8}, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("code 8 of output 0, input 1 is not on the grid");
  }

  @Test
  void whatDoesNotFitIsRefused() {
    assertThatThrownBy(() -> new WeightCodes(2, 3, null, new byte[5]))
        .isInstanceOf(InputException.class)
        .hasMessage("weight: 5 elements, expected 6");
    assertThatThrownBy(() -> new WeightCodes(2, 3, new UniformGrid(4), new byte[6]))
        .isInstanceOf(InputException.class)
        .hasMessage("weight: 6 elements, expected 4");
    assertThatThrownBy(() -> new WeightCodes(2, 3, new UniformGrid(4), new byte[] {0, 0, 0, 0x10}))
        .isInstanceOf(InputException.class)
        .hasMessage("weight indices: row 1: found bits behind its last index, expected zeros");
    assertThatThrownBy(() -> new WeightCodes(2, 3, new TableGrid(4, new byte[16]), new byte[4]))
        .isInstanceOf(InputException.class);
  }
}
