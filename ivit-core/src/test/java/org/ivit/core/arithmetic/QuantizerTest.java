package org.ivit.core.arithmetic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.ivit.core.InputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class QuantizerTest {

  @Test
  void scaleTakesTheLargerSide() {
    assertThat(Quantizer.scale(-2.54f, 1f, 8)).isEqualTo(2.54f / 127f);
    assertThat(Quantizer.scale(-1f, 2.54f, 8)).isEqualTo(2.54f / 127f);
    assertThat(Quantizer.scale(0.5f, 3f, 16)).isEqualTo(3f / 32767f);
    assertThat(Quantizer.scale(-3f, -0.5f, 16)).isEqualTo(3f / 32767f);
  }

  @Test
  void scaleHasASmallestValue() {
    assertThat(Quantizer.scale(0f, 0f, 8)).isEqualTo(0x1p-23f);
    assertThat(Quantizer.scale(-1e-30f, 1e-30f, 8)).isEqualTo(0x1p-23f);
    assertThat(Quantizer.scale(0f, 127 * 0x1p-23f, 8)).isEqualTo(0x1p-23f);
    assertThat(Quantizer.scale(0f, 128 * 0x1p-23f, 8)).isGreaterThan(0x1p-23f);
  }

  @Test
  void scaleRefusesRangesThatAreNotFinite() {
    assertThatThrownBy(() -> Quantizer.scale(Float.NaN, 1f, 8))
        .isInstanceOf(InputException.class)
        .hasMessage("range [NaN, 1.0]: expected finite values");
    assertThatThrownBy(() -> Quantizer.scale(0f, Float.POSITIVE_INFINITY, 8))
        .isInstanceOf(InputException.class);
  }

  @Test
  void tiesGoToEven() {
    float[] x = {0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -2.5f, 126.5f, 127.5f, -128.5f, -129f};
    assertThat(Quantizer.codes8("x", x, 1f))
        .containsExactly(0, 2, 2, 0, -2, -2, 126, 127, -128, -128);
  }

  @Test
  void saturatesAtEachWidth() {
    assertThat(Quantizer.code(Float.MAX_VALUE, 0x1p23f, 8)).isEqualTo(127);
    assertThat(Quantizer.code(-Float.MAX_VALUE, 0x1p23f, 8)).isEqualTo(-128);
    assertThat(Quantizer.code(1e9f, 1f, 16)).isEqualTo(32767);
    assertThat(Quantizer.code(-1e9f, 1f, 16)).isEqualTo(-32768);
    assertThat(Quantizer.code(1e30f, 1f, 32)).isEqualTo(Integer.MAX_VALUE);
    assertThat(Quantizer.code(-1e30f, 1f, 32)).isEqualTo(Integer.MIN_VALUE);
  }

  @Test
  void clampsSaturate() {
    for (long v : new long[] {Long.MIN_VALUE, -32769, -129, -128, 0, 127, 128, 32768, 1L << 40}) {
      assertThat((long) Quantizer.clamp8(v)).isEqualTo(Math.max(-128, Math.min(127, v)));
      assertThat((long) Quantizer.clamp16(v)).isEqualTo(Math.max(-32768, Math.min(32767, v)));
      assertThat(Quantizer.clamp(v, 8)).isEqualTo(Quantizer.clamp8(v));
      assertThat(Quantizer.clamp(v, 16)).isEqualTo(Quantizer.clamp16(v));
    }
    assertThat(Quantizer.clamp(1L << 40, 32)).isEqualTo(Integer.MAX_VALUE);
    assertThat(Quantizer.clamp(-(1L << 40), 32)).isEqualTo(Integer.MIN_VALUE);
  }

  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
  void valuesThatAreNotFiniteAreRefusedByName(float bad) {
    float[] x = {0f, bad};
    String message = "blocks.3.mlp.fc1: element 1 is " + bad + ", expected a finite value";
    assertThatThrownBy(() -> Quantizer.codes8("blocks.3.mlp.fc1", x, 1f))
        .isInstanceOf(InputException.class)
        .hasMessage(message);
    assertThatThrownBy(() -> Quantizer.codes16("blocks.3.mlp.fc1", x, 1f)).hasMessage(message);
    assertThatThrownBy(() -> Quantizer.scaleOf("blocks.3.mlp.fc1", x, 8)).hasMessage(message);
    assertThatThrownBy(() -> Quantizer.tokenCodes("blocks.3.mlp.fc1", x, 1f)).hasMessage(message);
  }

  @Test
  void emptyTensorsHaveNoCodes() {
    assertThat(Quantizer.codes8("x", new float[0], 1f)).isEmpty();
    assertThat(Quantizer.scaleOf("x", new float[0], 16)).isEqualTo(Quantizer.MIN_SCALE);
  }

  @Test
  void scaleOfATensorIsThatOfItsRange() {
    assertThat(Quantizer.scaleOf("pos_embed", new float[] {0.1f, -0.7f, 0.3f}, 16))
        .isEqualTo(Quantizer.scale(-0.7f, 0.3f, 16));
    assertThat(Quantizer.scaleOf("pos_embed", new float[] {0.2f}, 16))
        .isEqualTo(Quantizer.scale(0.2f, 0.2f, 16));
  }

  @Test
  void tokensAreDivided() {
    float scale = 0.013385827f;
    float[] token = new float[2001];
    int differing = 0;
    for (int i = 0; i < token.length; i++) {
      token[i] = (i - 1000.5f) * scale;
    }
    int[] codes = Quantizer.tokenCodes("cls_token", token, scale);
    for (int i = 0; i < token.length; i++) {
      assertThat(codes[i]).isEqualTo((int) Math.rint((double) (token[i] / scale)));
      differing += codes[i] == Quantizer.code(token[i], Quantizer.reciprocal(scale), 32) ? 0 : 1;
    }
    assertThat(differing).isPositive();
  }

  @Test
  void tokensAreNotClampedTo16Bits() {
    assertThat(Quantizer.tokenCodes("cls_token", new float[] {1f, -1f}, 0x1p-20f))
        .containsExactly(1 << 20, -(1 << 20));
    assertThatThrownBy(() -> Quantizer.tokenCodes("cls_token", new float[] {1e9f}, 0x1p-23f))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("cls_token: refused, element 0 is 1.0E9, too large for 32 bits");
  }

  @Test
  void pixelTableIsTheQuantizedNormalisation() {
    float mean = 0.485f;
    float std = 0.229f;
    float scale = Quantizer.scale(-2.117904f, 2.2489083f, 8);
    byte[] table = Quantizer.pixelTable(mean, std, scale);
    float[] x = new float[256];
    for (int p = 0; p < 256; p++) {
      x[p] = Quantizer.normalise(p, mean, std);
    }
    assertThat(table).isEqualTo(Quantizer.codes8("x", x, scale));
    assertThat(table[255]).isEqualTo((byte) 127);
    assertThat(Quantizer.normalise(255, 0.5f, 0.5f)).isEqualTo(1f);
    assertThat(Quantizer.normalise(0, 0.5f, 0.5f)).isEqualTo(-1f);
  }

  @Test
  void pixelTableRefusesAStandardDeviationOfZero() {
    assertThatThrownBy(() -> Quantizer.pixelTable(0.5f, 0f, 1f))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("pixels with mean 0.5 and std 0.0");
  }
}
