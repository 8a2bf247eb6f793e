package org.ivit.core.arithmetic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SiluTest {
  @ParameterizedTest
  @ValueSource(doubles = {-800, -20, -3, -1.2784645, -0.1, 0, 1e-9, 0.5, 2, 30, 800})
  void derivativeIsTheSlope(double x) {
    double h = 1e-6 * Math.max(1, Math.abs(x));
    double slope = (Silu.value(x + h) - Silu.value(x - h)) / (2 * h);
    assertThat(Silu.derivative(x)).isCloseTo(slope, within(1e-7));
  }

  @ParameterizedTest
  @ValueSource(floats = {0x1p-23f, 1e-4f, 0.01f, 0.1f, 1, 100})
  void tableRoundsTheFunction(float scale) {
    short[] table = Silu.table(scale);
    float step = Silu.tableScale(scale);
    int largest = 0;
    for (int code = -128; code < 128; code++) {
      double value = Silu.value((double) scale * code);
      assertThat(table[code + 128] * (double) step).isCloseTo(value, within(0.5001 * step));
      largest = Math.max(largest, Math.abs(table[code + 128]));
    }
    assertThat(table[128]).isZero();
    assertThat(largest).isEqualTo(step == Quantizer.MIN_SCALE ? largest : Short.MAX_VALUE);
  }
}
