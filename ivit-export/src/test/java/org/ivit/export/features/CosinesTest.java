package org.ivit.export.features;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class CosinesTest {
  private static final MathContext DIGITS = new MathContext(60);

  private static BigInteger exact(int[] a, int[] b) {
    BigInteger sum = BigInteger.ZERO;
    for (int i = 0; i < a.length; i++) {
      sum = sum.add(BigInteger.valueOf(a[i]).multiply(BigInteger.valueOf(b[i])));
    }
    return sum;
  }

  private static double cosine(int[] a, int[] b) {
    return new Cosines(Features.ofCodes(a, 0.5f, a.length))
        .of(0, new Cosines(Features.ofCodes(b, 3f, b.length)), 0);
  }

  /** Extremes, small numbers and anything between, by turns. */
  private static int[] codes(Random random, int length) {
    int kind = random.nextInt(4);
    int[] codes = new int[length];
    for (int i = 0; i < length; i++) {
      codes[i] =
          switch (kind) {
            case 0 -> random.nextBoolean() ? Integer.MIN_VALUE : Integer.MAX_VALUE;
            case 1 -> random.nextInt(7) - 3;
            case 2 -> random.nextInt(9) == 0 ? Integer.MIN_VALUE : random.nextInt(5);
            default -> random.nextInt();
          };
    }
    return codes;
  }

  @Test
  void productsOfCodesAreExactBeforeTheyAreRounded() {
    Random random = new Random(1);
    for (int test = 0; test < 2000; test++) {
      int length = 1 + random.nextInt(test % 10 == 0 ? 3000 : 9);
      int[] a = codes(random, length);
      int[] b = random.nextInt(5) == 0 ? a : codes(random, length);
      double found = ExactProducts.of(a, 0, b, 0, length);
      BigDecimal difference = new BigDecimal(found).subtract(new BigDecimal(exact(a, b))).abs();
      assertThat(difference).isLessThanOrEqualTo(new BigDecimal(Math.ulp(found)));
    }
  }

  @Test
  void sumsOfTheLargestProductsDoNotOverflow() {
    int[] lowest = new int[4096];
    Arrays.fill(lowest, Integer.MIN_VALUE);
    int[] highest = new int[4096];
    Arrays.fill(highest, Integer.MAX_VALUE);
    assertThat(ExactProducts.of(lowest, 0, lowest, 0, 4096)).isEqualTo(0x1p74);
    assertThat(ExactProducts.of(lowest, 0, highest, 0, 4096)).isEqualTo(-0x1p74 + 0x1p43);
    assertThat(cosine(lowest, lowest)).isEqualTo(1);
    assertThat(cosine(lowest, highest)).isEqualTo(-1);
  }

  @Test
  void aSumThatFits64BitsIsTheSameInEveryBit() {
    Random random = new Random(5);
    int fit = 0;
    for (int test = 0; test < 2000; test++) {
      int length = 1 + random.nextInt(40);
      int bits = 1 + random.nextInt(31);
      int[] a = codes(random, length);
      int[] b = random.ints(length).map(code -> code >> (32 - bits)).toArray();
      if (ExactProducts.fit64(ExactProducts.largest(a), ExactProducts.largest(b), length)) {
        fit++;
        assertThat(ExactProducts.of64(a, 0, b, 0, length))
            .isEqualTo(ExactProducts.of(a, 0, b, 0, length));
      }
    }
    assertThat(fit).isBetween(100, 1999);
    long most = 1L << 31;
    assertThat(ExactProducts.largest(new int[] {3, Integer.MIN_VALUE})).isEqualTo(most);
    assertThat(ExactProducts.fit64(most, most, 1)).isTrue();
    assertThat(ExactProducts.fit64(most, most, 2)).isFalse();
    assertThat(ExactProducts.fit64(most, most - 1, 2)).isTrue();
    assertThat(ExactProducts.fit64(0, most, 1 << 30)).isTrue();
  }

  /** Sums that fit 53 bits are the integers themselves, also where their halves carry. */
  @Test
  void smallSumsAreIntegers() {
    Random random = new Random(2);
    for (int test = 0; test < 1000; test++) {
      int[] a = random.ints(33, -(1 << 20), 1 << 20).toArray();
      int[] b = random.ints(33, -(1 << 20), 1 << 20).toArray();
      assertThat((long) ExactProducts.of(a, 0, b, 0, 33)).isEqualTo(exact(a, b).longValueExact());
    }
  }

  @Test
  void cosinesAreThoseOfExactArithmetic() {
    Random random = new Random(3);
    for (int test = 0; test < 500; test++) {
      int length = 1 + random.nextInt(50);
      int[] a = codes(random, length);
      int[] b = codes(random, length);
      BigDecimal squares = new BigDecimal(exact(a, a).multiply(exact(b, b)));
      double expected =
          squares.signum() == 0
              ? 0
              : new BigDecimal(exact(a, b)).divide(squares.sqrt(DIGITS), DIGITS).doubleValue();
      assertThat(cosine(a, b)).isCloseTo(expected, within(1e-15)).isBetween(-1.0, 1.0);
      assertThat(cosine(a, b)).isEqualTo(cosine(b, a));
      assertThat(cosine(a, a)).isEqualTo(exact(a, a).signum());
    }
  }

  @Test
  void aSingleElementHasItsSign() {
    assertThat(cosine(new int[] {7}, new int[] {Integer.MAX_VALUE})).isEqualTo(1);
    assertThat(cosine(new int[] {7}, new int[] {Integer.MIN_VALUE})).isEqualTo(-1);
    assertThat(cosine(new int[] {0}, new int[] {5})).isZero();
  }

  @Test
  void aRowOfZerosIsLikeNothing() {
    int[] zeros = new int[5];
    assertThat(cosine(zeros, zeros)).isZero();
    assertThat(cosine(zeros, new int[] {1, 2, 3, 4, 5})).isZero();
    Cosines real = new Cosines(Features.ofValues(new float[5], 5));
    assertThat(real.of(0, real, 0)).isZero();
  }

  @Test
  void valuesAndCodesMayMeet() {
    Random random = new Random(4);
    int[] codes = random.ints(48, -30000, 30000).toArray();
    Features integers = Features.ofCodes(codes, 0.125f, 24);
    Cosines one = new Cosines(integers);
    Cosines other = new Cosines(integers.real());
    for (int row = 0; row < 2; row++) {
      assertThat(one.of(row, other, row)).isCloseTo(1, within(1e-12));
      assertThat(other.of(row, one, 1 - row)).isCloseTo(one.of(row, one, 1 - row), within(1e-12));
    }
  }
}
