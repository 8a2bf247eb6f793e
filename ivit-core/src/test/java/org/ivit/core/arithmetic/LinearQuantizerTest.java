package org.ivit.core.arithmetic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import org.ivit.core.InputException;
import org.junit.jupiter.api.Test;

class LinearQuantizerTest {

  @Test
  void aChannelHasTheScaleOfItsOwnRange() {
    float[] weight = {-1.27f, 0.3f, 0f, 0.01f, 0f, 0f};
    QuantizedLinear layer =
        LinearQuantizer.quantize("fc", weight, new float[] {1f, 0f, -1f}, 3, 2, 0.5f, null);
    assertThat(layer.weightScale())
        .containsExactly(1.27f / 127f, 0.01f / 127f, Quantizer.MIN_SCALE);
    assertThat(layer.weight()).containsExactly(-127, 30, 0, 127, 0, 0);
    assertThat(layer.biasScale()[0]).isEqualTo(layer.weightScale()[0] * 0.5f);
    assertThat(layer.bias()[0]).isEqualTo(200);
    assertThat(layer.raised()).isEmpty();
  }

  @Test
  void withoutABiasItsCodesAreZero() {
    QuantizedLinear layer =
        LinearQuantizer.quantize("reduction", new float[] {1f}, null, 1, 1, 0.1f, null);
    assertThat(layer.bias()).containsExactly(0);
    assertThat(layer.weight()).containsExactly(127);
  }

  @Test
  void aBiasBeyond30BitsRaisesTheScaleOfItsChannel() {
    float inputScale = 0.01f;
    float[] bias = {0.5f, -20f, 0f, 12f};
    float[] weight = {1f, 1e-12f, 1e-12f, 1e-12f};
    QuantizedLinear layer = LinearQuantizer.quantize("fc", weight, bias, 4, 1, inputScale, null);
    assertThat(layer.raised()).containsExactly(1, 3);
    assertThat(layer.weightScale()[1]).isEqualTo((float) (20.0 / (0x1p30 * (double) inputScale)));
    assertThat(layer.weightScale()[2]).isEqualTo(Quantizer.MIN_SCALE);
    assertThat(layer.weight()).containsExactly(127, 0, 0, 0);
    for (int c = 0; c < 4; c++) {
      assertThat(layer.biasScale()[c]).isEqualTo(layer.weightScale()[c] * inputScale);
      assertThat(Math.abs((long) layer.bias()[c])).isLessThanOrEqualTo((1L << 30) + 128);
    }
  }

  @Test
  void aRaisedScaleFreezesToItself() {
    float[] bias = {-20f};
    float[] weight = {1e-12f};
    QuantizedLinear once = LinearQuantizer.quantize("fc", weight, bias, 1, 1, 0.01f, null);
    QuantizedLinear again =
        LinearQuantizer.quantize("fc", weight, bias, 1, 1, 0.01f, once.weightScale());
    assertThat(again.weightScale()).isEqualTo(once.weightScale());
    assertThat(again.bias()).isEqualTo(once.bias());
  }

  @Test
  void aFrozenScaleGivesBackEveryCode() {
    Random random = new Random(3);
    int outputs = 255;
    float[] scale = new float[outputs];
    float[] weight = new float[outputs * 256];
    for (int c = 0; c < outputs; c++) {
      scale[c] = Math.scalb(1 + random.nextFloat(), -random.nextInt(20));
      for (int k = 0; k < 256; k++) {
        weight[c * 256 + k] = scale[c] * (k - 128);
      }
    }
    QuantizedLinear layer = LinearQuantizer.quantize("fc", weight, null, outputs, 256, 0.1f, scale);
    for (int i = 0; i < weight.length; i++) {
      assertThat(layer.weight()[i]).isEqualTo((byte) (i % 256 - 128));
    }
    assertThat(layer.weightScale()).isEqualTo(scale);
  }

  @Test
  void badTensorsAreRefusedByName() {
    float[] one = {1f};
    assertThatThrownBy(
            () -> LinearQuantizer.quantize("fc", new float[] {Float.NaN}, one, 1, 1, 0.1f, null))
        .isInstanceOf(InputException.class)
        .hasMessage("fc.weight: element 0 is NaN, expected a finite value");
    assertThatThrownBy(
            () ->
                LinearQuantizer.quantize(
                    "fc", one, new float[] {Float.NEGATIVE_INFINITY}, 1, 1, 0.1f, null))
        .hasMessage("fc.bias: element 0 is -Infinity, expected a finite value");
    assertThatThrownBy(() -> LinearQuantizer.quantize("fc", one, null, 1, 2, 0.1f, null))
        .hasMessage("fc.weight: 1 elements, expected 2");
    assertThatThrownBy(() -> LinearQuantizer.quantize("fc", one, new float[2], 1, 1, 0.1f, null))
        .hasMessage("fc.bias: 2 elements, expected 1");
    assertThatThrownBy(() -> LinearQuantizer.quantize("fc", one, one, 1, 1, 0.1f, new float[] {0f}))
        .hasMessage("fc.weight_scale: element 0 is 0.0, expected a positive value");
    assertThatThrownBy(() -> LinearQuantizer.quantize("fc", one, one, 1, 1, 0.1f, new float[2]))
        .hasMessage("fc.weight_scale: 2 elements, expected 1");
  }
}
