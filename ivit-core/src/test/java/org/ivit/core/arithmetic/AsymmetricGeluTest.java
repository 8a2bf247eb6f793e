package org.ivit.core.arithmetic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import org.ivit.core.InputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AsymmetricGeluTest {
  @ParameterizedTest
  @ValueSource(floats = {-1, 0, 1e-6f, 0.17f, 1, 3.4f, 25, 300, 1e6f})
  void codesReachFromTheMinimumOfGeluToTheLargestValue(float max) {
    float scale = AsymmetricGelu.scale(max);
    int offset = AsymmetricGelu.offset(scale);
    assertThat(offset).isBetween(-127, 128);
    assertThat((double) scale * (-128 + offset)).isLessThanOrEqualTo(-0.16998 + scale / 2);
    assertThat((double) scale * (127 + offset)).isGreaterThanOrEqualTo(max - 0.501 * scale);
    assertThat(AsymmetricGelu.offset(scale * 4)).isGreaterThanOrEqualTo(offset);
  }

  @ParameterizedTest
  @ValueSource(floats = {0.001f, 0.02f, 0.05f, 2})
  void aTableHoldsTheNearestCode(float inputScale) {
    float largest = (float) ShiftGelu.exactValue(Activation.GELU, inputScale, 127);
    for (float max : new float[] {largest, largest / 3}) {
      float scale = AsymmetricGelu.scale(max);
      int offset = AsymmetricGelu.offset(scale);
      byte[] table = AsymmetricGelu.table(Activation.GELU, inputScale, scale);
      for (int x = -128; x < 128; x++) {
        double value = ShiftGelu.exactValue(Activation.GELU, inputScale, x);
        double held = (double) scale * (table[x + 128] + offset);
        double top = (double) scale * (127 + offset);
        assertThat(Math.abs(held - Math.min(value, top)))
            .as("code %d", x)
            .isLessThanOrEqualTo(scale * 0.5001);
      }
    }
  }

  @Test
  void theBiasTakesTheOffsetOfTheInput() {
    Random random = new Random(3);
    for (int inputs : new int[] {1, 2, 7, 64}) {
      int outputs = 5;
      byte[] weight = new byte[outputs * inputs];
      random.nextBytes(weight);
      int[] bias = random.ints(outputs).map(b -> b >> 4).toArray();
      OutlierChannels outliers =
          inputs == 1 ? OutlierChannels.NONE : new OutlierChannels(new int[] {0, inputs - 1}, 3);
      QuantizedLinear moved =
          new QuantizedLinear(weight, new float[outputs], bias, new float[outputs], new int[0])
              .withInputOffset("fc2", 117, outliers, -20);
      byte[] codes = new byte[inputs];
      random.nextBytes(codes);
      for (int c = 0; c < outputs; c++) {
        long expected = bias[c];
        long found = moved.bias()[c];
        for (int k = 0; k < inputs; k++) {
          long w = weight[c * inputs + k];
          boolean apart = outliers.contains(k);
          expected += apart ? (w * (codes[k] - 20)) << 3 : w * (codes[k] + 117);
          found += apart ? (w * codes[k]) << 3 : w * codes[k];
        }
        assertThat(found).isEqualTo(expected);
      }
      assertThat(moved.weight()).isSameAs(weight);
    }
  }

  @Test
  void refusesABiasThatDoesNotFit() {
    QuantizedLinear layer =
        new QuantizedLinear(
            new byte[] {1, 0, 127, 127},
            new float[2],
            new int[] {5, Integer.MAX_VALUE - 25_000},
            new float[2],
            new int[0]);
    assertThat(layer.withInputOffset("fc2", 98, OutlierChannels.NONE, 0).bias())
        .containsExactly(103, Integer.MAX_VALUE - 25_000 + 98 * 254);
    assertThatThrownBy(() -> layer.withInputOffset("fc2", 128, OutlierChannels.NONE, 0))
        .isInstanceOf(InputException.class)
        .hasMessage(
            "fc2: the bias of channel 1 with its input's offset is 2147491159, expected 32 bits");
  }
}
