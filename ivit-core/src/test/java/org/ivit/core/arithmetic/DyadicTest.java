package org.ivit.core.arithmetic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.Random;
import org.ivit.core.InputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DyadicTest {

  @ParameterizedTest
  @CsvSource({
    "1.0, 1073741824, 30",
    "0.5, 1073741824, 31",
    "0.75, 1610612736, 31",
    // The largest double below 1 rounds to 2^31, which is halved.
    "0x1.fffffffffffffp-1, 1073741824, 30",
    // 31 ones, and half a unit more: floor(f·2^31 + 1/2) goes up.
    "0x1.fffffffcp-1, 2147483647, 31",
    "0x1.fffffffdp-1, 2147483647, 31",
    "0x1.fffffffep-1, 1073741824, 30",
    "0x1.fffffffdfffffp-1, 2147483647, 31",
    // The last shift that is not cut, and the ones after it.
    "0x1p-32, 1073741824, 62",
    "0x1p-33, 536870912, 62",
    "0x1.8p-33, 805306368, 62",
    "0x1p-62, 1, 62",
    "0x1p-63, 1, 62",
    "0x1.8p-63, 1, 62",
    "0x1.fffffffcp-63, 1, 62",
    // Rounding to 31 bits comes first and carries.
    "0x1.fffffffffp-64, 1, 62",
    "0x1p-64, 0, 62",
    "0x1p-65, 0, 62",
    "0x1p-94, 0, 62",
    "0x1p-95, 0, 62",
    "0x1p-1022, 0, 62",
    "0x1p-1074, 0, 62",
    "0x1.fffffff8p29, 2147483646, 1",
    "536870912.0, 1073741824, 1",
  })
  void edgesOfRatios(String ratio, int multiplier, int shift) {
    assertThat(Dyadic.of(Double.parseDouble(ratio))).isEqualTo(new Dyadic(multiplier, shift));
  }

  @ParameterizedTest
  @ValueSource(doubles = {0x1p30, 0x1.fffffffffp29, 1e30, Double.MAX_VALUE})
  void refusesLargeRatios(double ratio) {
    assertThatThrownBy(() -> Dyadic.of("blocks.0.attn.proj", ratio))
        .isInstanceOf(InputException.class)
        .hasMessage(
            "blocks.0.attn.proj: refused, ratio of scales "
                + ratio
                + " is too large, expected below 2^30");
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, -0.0, -1, Double.NaN, Double.POSITIVE_INFINITY})
  void refusesRatiosThatAreNone(double ratio) {
    assertThatThrownBy(() -> Dyadic.of(ratio))
        .isInstanceOf(InputException.class)
        .hasMessage("ratio: ratio of scales " + ratio + ", expected a positive finite one");
  }

  @Test
  void refusesMembersOutOfRange() {
    assertThatThrownBy(() -> new Dyadic(-1, 31)).hasMessageContaining("dyadic multiplier -1");
    assertThatThrownBy(() -> new Dyadic(1, 0)).hasMessageContaining("shift 0");
    assertThatThrownBy(() -> new Dyadic(1, 63)).hasMessageContaining("a shift of 1 to 62");
  }

  @Test
  void multiplierIsTheNearestOf31Bits() {
    Random random = new Random(1);
    for (int i = 0; i < 20_000; i++) {
      double ratio = Math.scalb(1 + random.nextDouble(), random.nextInt(61) - 32);
      Dyadic dyadic = Dyadic.of(ratio);
      BigDecimal scaled =
          new BigDecimal(ratio).multiply(new BigDecimal(BigInteger.ONE.shiftLeft(dyadic.shift())));
      BigDecimal nearest = scaled.add(new BigDecimal("0.5")).setScale(0, RoundingMode.FLOOR);
      if (nearest.toBigInteger().bitLength() == 32) {
        continue;
      }
      assertThat(BigDecimal.valueOf(dyadic.multiplier())).isEqualByComparingTo(nearest);
      assertThat(dyadic.multiplier()).isGreaterThanOrEqualTo(1 << 30);
    }
  }

  @Test
  void requantizationIsTheFloorOfTheSumInWholeNumbers() {
    Random random = new Random(2);
    long[] edges = {0, 1, -1, 2, -2, 128 * 128, -128 * 128, 1L << 31, -(1L << 31), (1L << 31) - 1};
    int[] multipliers = {0, 1, 1 << 30, (1 << 30) + 1, Integer.MAX_VALUE};
    int[] shifts = {1, 2, 30, 31, 32, 61, 62};
    for (long z : edges) {
      for (int m : multipliers) {
        for (int e : shifts) {
          assertRequantized(z, m, e);
        }
      }
    }
    for (int i = 0; i < 20_000; i++) {
      assertRequantized(random.nextInt(), random.nextInt() & 0x7fffffff, 1 + random.nextInt(62));
    }
  }

  private static void assertRequantized(long z, int m, int e) {
    BigInteger expected =
        BigInteger.valueOf(z)
            .multiply(BigInteger.valueOf(m))
            .add(BigInteger.ONE.shiftLeft(e - 1))
            .shiftRight(e);
    assertThat(Dyadic.requantize(z, m, e)).isEqualTo(expected.longValueExact());
  }

  @Test
  void tiesGoUp() {
    Dyadic half = Dyadic.of(0.5);
    assertThat(half.apply(1)).isEqualTo(1);
    assertThat(half.apply(-1)).isEqualTo(0);
    assertThat(half.apply(3)).isEqualTo(2);
    assertThat(half.apply(-3)).isEqualTo(-1);
  }

  @Test
  void additionRoundsTwiceAndClampsOnce() {
    Dyadic half = Dyadic.of(0.5);
    Dyadic one = Dyadic.of(1);
    // 1/2 + 1/2 is 2 after two roundings.
    assertThat(add16(1, half, 1, half)).isEqualTo((short) 2);
    // A clamp of each addend would give −32768 + 32767.
    assertThat(add16(-40_000, one, 40_000, one)).isEqualTo((short) 0);
    assertThat(add16(40_000, one, 0, one)).isEqualTo(Short.MAX_VALUE);
    assertThat(add16(-40_000, one, 0, one)).isEqualTo(Short.MIN_VALUE);
    Dyadic large = Dyadic.of(0x1p29);
    assertThat(add16(1L << 31, large, 1L << 31, large)).isEqualTo(Short.MAX_VALUE);
    assertThat(add16(-(1L << 31), large, -(1L << 31), large)).isEqualTo(Short.MIN_VALUE);
    assertThat(Dyadic.add8(-200, one.multiplier(), one.shift(), 100, one.multiplier(), one.shift()))
        .isEqualTo((byte) -100);
    assertThat(Dyadic.add8(100, one.multiplier(), one.shift(), 28, one.multiplier(), one.shift()))
        .isEqualTo(Byte.MAX_VALUE);
  }

  private static short add16(long z, Dyadic a, long identity, Dyadic b) {
    return Dyadic.add16(z, a.multiplier(), a.shift(), identity, b.multiplier(), b.shift());
  }

  @Test
  void vectorBuildsOutliersForTheLargerScale() {
    float[] from = {0.011f, 0.3f, 1e-6f, 0.07f, 0.011f};
    OutlierChannels outliers = new OutlierChannels(new int[] {1, 4}, 3);
    DyadicVector vector = DyadicVector.of("fc1", from, 0.04f, outliers);
    assertThat(vector.size()).isEqualTo(5);
    for (int c = 0; c < from.length; c++) {
      // The quotient by the outliers' scale is the same number: powers of two are exact.
      Dyadic expected = Dyadic.of(Dyadic.ratio(from[c], outliers.scale(0.04f, c)));
      assertThat(new Dyadic(vector.multiplier()[c], vector.shift()[c])).isEqualTo(expected);
      assertThat(vector.apply(c, 12345)).isEqualTo(expected.apply(12345));
    }
    DyadicVector common = DyadicVector.of("context", 0.3f, 2, 0.04f, outliers);
    assertThat(common.multiplier()[1]).isEqualTo(vector.multiplier()[1]);
    assertThat(common.shift()[0]).isEqualTo((byte) (common.shift()[1] - 3));
  }

  @Test
  void vectorRefusesByNodeAndChannel() {
    assertThatThrownBy(
            () -> DyadicVector.of("head", new float[] {1f, 0x1p35f}, 1f, OutlierChannels.NONE))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("head, channel 1: refused, ratio of scales 3.4359738368E10");
    assertThatThrownBy(() -> new DyadicVector(new int[1], new byte[2]))
        .hasMessage("dyadic multipliers: 1 multipliers, 2 shifts");
    assertThatThrownBy(() -> new DyadicVector(new int[] {1, 1}, new byte[] {1, 0}))
        .hasMessageContaining("dyadic multiplier 1 with shift 0 in channel 1");
    assertThatThrownBy(() -> new DyadicVector(new int[] {-1}, new byte[] {1}))
        .hasMessageContaining("multiplier -1");
  }
}
