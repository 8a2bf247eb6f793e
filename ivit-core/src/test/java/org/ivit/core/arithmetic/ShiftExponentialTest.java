package org.ivit.core.arithmetic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigInteger;
import org.ivit.core.InputException;
import org.junit.jupiter.api.Test;

class ShiftExponentialTest {

  @Test
  void followsTheFormulaInWholeNumbers() {
    for (float scale : new float[] {2f, 1f, 0.999f, 0.3f, 0.08f, 0.0021f, 1e-5f, 0x1p-23f}) {
      for (ShiftExponential exponential :
          new ShiftExponential[] {
            ShiftExponential.of("softmax", scale, 15, 13), ShiftExponential.gelu(scale)
          }) {
        for (int u = -510; u <= 255; u++) {
          assertThat(exponential.of(u)).isEqualTo(oracle(exponential, u));
        }
      }
    }
  }

  /** The page's formula on unbounded integers, where a shift cannot lose bits. */
  private static long oracle(ShiftExponential exponential, int u) {
    BigInteger x0 = BigInteger.valueOf(exponential.x0());
    BigInteger value = BigInteger.valueOf(u);
    BigInteger v =
        value
            .add(value.shiftRight(1))
            .subtract(value.shiftRight(4))
            .max(x0.multiply(BigInteger.valueOf(exponential.n())));
    BigInteger[] parts = v.negate().divideAndRemainder(x0.negate());
    BigInteger q = parts[0];
    if (parts[1].signum() < 0) {
      q = q.subtract(BigInteger.ONE);
    }
    BigInteger r = v.subtract(x0.multiply(q));
    int shift = exponential.n() - q.intValueExact();
    if (shift > 31) {
      return Integer.MAX_VALUE;
    }
    return r.subtract(x0.shiftLeft(1)).shiftLeft(shift).shiftRight(1).longValueExact();
  }

  @Test
  void differencesAtAndBelowZeroLieBetweenTheExtremes() {
    for (float scale : new float[] {3f, 0.5f, 0.04f, 0.0009f}) {
      ShiftExponential exponential = ShiftExponential.of("softmax", scale, 15, 197);
      assertThat(exponential.of(0)).isEqualTo(-(long) exponential.x0() << exponential.n());
      assertThat(exponential.of(Integer.MIN_VALUE)).isEqualTo(exponential.smallest());
      for (int d = 0; d < 256; d++) {
        assertThat(exponential.of(-d)).isBetween(exponential.smallest(), exponential.of(0));
      }
    }
  }

  @Test
  void bitsAreTheMostThatTheSumHolds() {
    for (int tokens : new int[] {1, 2, 49, 197, 577, 65_535, 65_536, 1 << 20}) {
      for (float scale : new float[] {5f, 0.1f, 0.001f, 3e-5f}) {
        if (Math.ceil(1 / scale) * tokens >= 0x1p31) {
          continue;
        }
        ShiftExponential exponential = ShiftExponential.of("softmax", scale, 15, tokens);
        assertThat(exponential.of(0) * tokens).isLessThan(1L << 31);
        if (exponential.n() < 15) {
          assertThat(exponential.of(0) * 2 * tokens).isGreaterThanOrEqualTo(1L << 31);
        }
      }
    }
  }

  @Test
  void theConstantIsAFloor() {
    assertThat(ShiftExponential.of("softmax", 2f, 15, 1).x0()).isEqualTo(-1);
    assertThat(ShiftExponential.of("softmax", 1f, 15, 1).x0()).isEqualTo(-1);
    assertThat(ShiftExponential.of("softmax", 0.75f, 15, 1).x0()).isEqualTo(-2);
    assertThat(ShiftExponential.of("softmax", 0.5f, 15, 1).x0()).isEqualTo(-2);
  }

  @Test
  void refusesWhatDoesNotFit() {
    // −x0 = 2^23 leaves room for fewer than 2^8 tokens.
    assertThat(ShiftExponential.of("softmax", 0x1p-23f, 15, 255).n()).isZero();
    assertThatThrownBy(() -> ShiftExponential.of("softmax", 0x1p-23f, 15, 256))
        .isInstanceOf(InputException.class)
        .hasMessage(
            "softmax: refused, at scale 1.1920929E-7 the sum of 256 shift exponentials does not fit"
                + " 31 bits");
    assertThatThrownBy(() -> ShiftExponential.gelu(1e-12f))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("GELU: refused, at scale 1.0E-12");
    assertThatThrownBy(() -> ShiftExponential.gelu(Float.MIN_VALUE))
        .isInstanceOf(InputException.class);
    for (float scale : new float[] {0f, -1f, Float.NaN, Float.POSITIVE_INFINITY}) {
      assertThatThrownBy(() -> ShiftExponential.of("softmax", scale, 15, 1))
          .hasMessage("softmax: scale " + scale + ", expected a positive finite value");
    }
    assertThatThrownBy(() -> new ShiftExponential(0, 3)).hasMessageContaining("x0 0 and n 3");
    assertThatThrownBy(() -> new ShiftExponential(-1, -1)).isInstanceOf(InputException.class);
    assertThatThrownBy(() -> new ShiftExponential(-1, 31)).isInstanceOf(InputException.class);
  }
}
