package org.ivit.core.arithmetic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.Random;
import org.apache.commons.math3.special.Erf;
import org.ivit.core.InputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ShiftGeluTest {

  @ParameterizedTest
  @ValueSource(floats = {2f, 0.4f, 0.05f, 0.0043f, 0x1p-23f})
  void rowAndElementAgreeAtANonNegativeMaximum(float scale) {
    short[] row = ShiftGelu.sigmoidRowTable(scale);
    short[] element = ShiftGelu.elementSigmoid(scale);
    for (int x = -128; x < 128; x++) {
      assertThat(row[ShiftGelu.rowIndex(Math.max(x, 0), x)]).isEqualTo(element[x + 128]);
    }
    for (int max = -128; max < 128; max++) {
      for (int x = -128; x < 128; x++) {
        int sigmoid = row[ShiftGelu.rowIndex(max, x)];
        assertThat(sigmoid).isBetween(0, x > max ? 0 : 127);
      }
    }
  }

  @Test
  void theSigmoidOfZeroLosesWhatTheFactorHasTooFewBitsFor() {
    // a = c = −x0·2^23; −x0 = 12: factor 10, σ = 12·10/2; −x0 = 1 is the best case.
    assertThat(ShiftGelu.elementSigmoid(0.05f)[128]).isEqualTo((short) 60);
    assertThat(ShiftGelu.elementSigmoid(2f)[128]).isEqualTo((short) 63);
  }

  @Test
  void rowsBelowZeroSaturateTheSum() {
    // E(−M) exceeds 2^31 there; t is clamped, and the sigmoid is what is left of E(0).
    ShiftGelu.RowConstants constants = ShiftGelu.RowConstants.of(0.4f);
    ShiftExponential exponential = constants.exponential();
    assertThat(exponential.of(128)).isEqualTo(Integer.MAX_VALUE);
    short[] table = ShiftGelu.sigmoidRowTable(constants);
    assertThat(table[ShiftGelu.rowIndex(-128, -128)]).isEqualTo((short) (exponential.of(0) >> 24));
    assertThat(ShiftGelu.sigmoid(Integer.MAX_VALUE, Long.MAX_VALUE / 2)).isEqualTo(127);
    assertThat(ShiftGelu.sigmoid(0, 1)).isZero();
  }

  @Test
  void theConstantsAreOnesOfTheScaledScale() {
    ShiftGelu.RowConstants constants = ShiftGelu.RowConstants.of(0.05f);
    assertThat(constants.scale()).isEqualTo(0.05f * 1.702f);
    assertThat(constants.x0()).isEqualTo(-12);
    assertThat(constants.n()).isEqualTo(23);
    assertThat(ShiftGelu.RowConstants.of(0x1p-23f).n()).isEqualTo(7);
    assertThatThrownBy(() -> ShiftGelu.RowConstants.of(1e-12f))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("GELU: refused, at scale 1.702E-12");
  }

  @Test
  void aRowIsRequantizedProducts() {
    Random random = new Random(8);
    float scale = 0.03f;
    float outScale = 0.02f;
    short[] sigmoid = ShiftGelu.sigmoidRowTable(scale);
    Dyadic multiplier = ShiftGelu.multiplier(scale, outScale);
    assertThat(multiplier).isEqualTo(Dyadic.of((double) (scale / 128f) / (double) outScale));
    for (int n : new int[] {1, 2, 33, 384}) {
      byte[] x = new byte[n + 2];
      random.nextBytes(x);
      byte[] out = new byte[n + 1];
      out[0] = 55;
      ShiftGelu.row(x, 2, n, sigmoid, multiplier, out, 1);
      int max = ShiftGelu.rowMax(x, 2, n);
      assertThat(out[0]).isEqualTo((byte) 55);
      for (int i = 0; i < n; i++) {
        int code = x[2 + i];
        long y = (long) code * sigmoid[ShiftGelu.rowIndex(max, code)];
        assertThat(code).isLessThanOrEqualTo(max);
        assertThat(out[1 + i]).isEqualTo(Quantizer.clamp8(multiplier.apply(y)));
      }
    }
  }

  @Test
  void rowMaximaReachBothEnds() {
    byte[] lowest = new byte[5];
    Arrays.fill(lowest, (byte) -128);
    assertThat(ShiftGelu.rowMax(lowest, 0, 5)).isEqualTo(-128);
    assertThat(ShiftGelu.rowMax(new byte[] {5, -128, 127, 0}, 0, 4)).isEqualTo(127);
    assertThat(ShiftGelu.rowMax(new byte[] {5, -128, 127, 0}, 3, 1)).isZero();
  }

  @Test
  void exactCodesAreTheRoundedFunction() {
    byte[] table = ShiftGelu.exactTable(Activation.GELU, 0.05f, 0.03f);
    assertThat(table[128]).isZero();
    for (int x = -128; x < 128; x++) {
      double value = (double) 0.05f * x;
      double gelu = 0.5 * value * (1 + Erf.erf(value / Math.sqrt(2)));
      assertThat(ShiftGelu.exactValue(Activation.GELU, 0.05f, x)).isEqualTo(gelu);
      assertThat((double) table[x + 128])
          .isEqualTo(Math.max(-128, Math.min(127, Math.rint(gelu / (double) 0.03f))) + 0.0);
    }
  }

  @Test
  void exactCodesClipAndVanish() {
    byte[] clipped = ShiftGelu.exactTable(Activation.GELU, 1f, 0.25f);
    assertThat(clipped[255]).isEqualTo((byte) 127);
    assertThat(clipped[0]).isZero();
    // Far outside, erf is ±1 and x or 0 is left.
    byte[] far = ShiftGelu.exactTable(Activation.GELU, 1000f, 1000f);
    for (int x = -128; x < 128; x++) {
      assertThat(far[x + 128]).isEqualTo((byte) Math.max(x, 0));
    }
    // The smallest value of GELU, −0.17, saturates a small scale from below.
    assertThat(ShiftGelu.exactTable(Activation.GELU, 0.01f, 0.001f)[128 - 75])
        .isEqualTo((byte) -128);
  }

  @Test
  void elementTableIsTheRequantizedProduct() {
    short[] sigmoid = ShiftGelu.elementSigmoid(0.05f);
    Dyadic multiplier = ShiftGelu.multiplier(0.05f, 0.03f);
    byte[] table = ShiftGelu.elementTable(0.05f, 0.03f);
    for (int x = -128; x < 128; x++) {
      assertThat(table[x + 128])
          .isEqualTo(Quantizer.clamp8(multiplier.apply((long) x * sigmoid[x + 128])));
    }
    assertThat(table[128]).isZero();
  }
}
