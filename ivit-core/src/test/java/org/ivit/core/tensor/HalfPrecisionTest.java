package org.ivit.core.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.ivit.core.testing.Shared;
import org.junit.jupiter.api.Test;

class HalfPrecisionTest {
  /** The value from the definition of binary16, in float64. */
  private static double half(int bits) {
    int exponent = (bits >> 10) & 0x1f;
    int fraction = bits & 0x3ff;
    double magnitude;
    if (exponent == 31) {
      magnitude = fraction == 0 ? Double.POSITIVE_INFINITY : Double.NaN;
    } else if (exponent == 0) {
      magnitude = Math.scalb((double) fraction, -24);
    } else {
      magnitude = Math.scalb((double) (1024 + fraction), exponent - 25);
    }
    return (bits & 0x8000) == 0 ? magnitude : -magnitude;
  }

  @Test
  void everyF16WidensToItsValue() {
    for (int bits = 0; bits < 1 << 16; bits++) {
      float wide = HalfPrecision.fromF16((short) bits);
      double expected = half(bits);
      if (Double.isNaN(expected)) {
        assertThat(wide).isNaN();
      } else {
        assertThat(Double.doubleToLongBits(wide))
            .as("%04x", bits)
            .isEqualTo(Double.doubleToLongBits(expected));
      }
    }
  }

  @Test
  void everyBf16IsTheUpperHalfOfItsFloat() {
    for (int bits = 0; bits < 1 << 16; bits++) {
      float wide = HalfPrecision.fromBf16((short) bits);
      if (Float.isNaN(wide)) {
        assertThat((bits & 0x7f80) == 0x7f80 && (bits & 0x7f) != 0).isTrue();
      } else {
        assertThat(Float.floatToRawIntBits(wide)).isEqualTo(bits << 16);
      }
    }
  }

  /** The golden F16 file was rounded to nearest even, the BF16 file towards zero. */
  @Test
  void goldenHalfPrecisionWeightsAreTheRoundedFloats() {
    Map<String, Tensor> exact = Shared.tensors("golden/micro_vit/weights.safetensors").tensors();
    TensorFile f16 = Shared.tensors("golden/checkpoints/micro_vit_f16.safetensors");
    TensorFile bf16 = Shared.tensors("golden/checkpoints/micro_vit_bf16.safetensors");
    assertThat(f16.tensors().keySet()).isEqualTo(exact.keySet());
    assertThat(bf16.tensors().keySet()).isEqualTo(exact.keySet());
    for (Map.Entry<String, Tensor> entry : exact.entrySet()) {
      float[] values = entry.getValue().floats();
      float[] rounded16 = new float[values.length];
      float[] truncated = new float[values.length];
      for (int i = 0; i < values.length; i++) {
        rounded16[i] = roundF16(values[i]);
        truncated[i] = Float.intBitsToFloat(Float.floatToRawIntBits(values[i]) & 0xffff0000);
      }
      assertThat(f16.get(entry.getKey()).floats()).as(entry.getKey()).isEqualTo(rounded16);
      assertThat(bf16.get(entry.getKey()).floats()).as(entry.getKey()).isEqualTo(truncated);
      assertThat(f16.get(entry.getKey()).shape()).isEqualTo(entry.getValue().shape());
    }
  }

  /** To a multiple of the spacing of binary16 at the value's exponent, ties to even. */
  private static float roundF16(float value) {
    int spacing = Math.max(Math.getExponent(value), -14) - 10;
    return (float) Math.scalb(Math.rint(Math.scalb((double) value, -spacing)), spacing);
  }
}
