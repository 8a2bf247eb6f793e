package org.ivit.core.architecture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.ivit.core.InputException;
import org.ivit.core.Size;
import org.ivit.core.architecture.Rotary.Kind;
import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.graph.Rotation;
import org.ivit.core.tensor.TensorFile;
import org.ivit.core.testing.Shared;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class RotaryTest {
  /** timm computes its tables in float32. */
  private static final double FLOAT32 = 1e-6;

  @ParameterizedTest
  @CsvSource({
    "dinov3, float, DINOV3, 4, 4, 4, 0, 16",
    "dinov3, float_24x40, DINOV3, 3, 5, 4, 0, 16",
    "dinov3_plus_qkvb, float, DINOV3, 4, 4, 4, 0, 8",
    "eva02, float, CAT, 4, 4, 1, 3, 16"
  })
  void tablesAreTimms(
      String family, String file, Kind kind, int h, int w, int leading, int reference, int width) {
    TensorFile golden = Shared.tensors("golden/families/%s/%s.safetensors".formatted(family, file));
    double[] cos = golden.get("rope_cos").doubles();
    double[] sin = golden.get("rope_sin").doubles();
    assertThat(cos).hasSize(h * w * width);
    Size unit = reference == 0 ? null : Size.of(reference);
    Rotary rotary = new Rotary(kind, new Size(h, w), leading, unit);
    Rotary.Table table = rotary.table(width);
    for (int i = 0; i < leading * width; i++) {
      assertThat(table.cos()[i]).isEqualTo(1);
      assertThat(Math.abs(table.sin()[i])).isZero();
    }
    for (int i = 0; i < cos.length; i++) {
      int at = leading * width + i;
      int channel = i % width;
      boolean first = kind == Kind.CAT ? channel % 2 == 0 : channel < width / 2;
      assertThat(table.cos()[at]).isCloseTo(cos[i], within(FLOAT32));
      assertThat(table.sin()[at]).isCloseTo(first ? -sin[i] : sin[i], within(FLOAT32));
    }
  }

  @ParameterizedTest
  @EnumSource
  void pairsPointAtEachOther(Kind kind) {
    for (int width = 4; width <= 68; width += 4) {
      for (int c = 0; c < width; c++) {
        int partner = kind.partner(c, width);
        assertThat(partner).isNotEqualTo(c).isBetween(0, width - 1);
        assertThat(kind.partner(partner, width)).isEqualTo(c);
      }
    }
  }

  /** Full-range codes stay within 2^30, and a turn keeps the length of a pair. */
  @ParameterizedTest
  @EnumSource
  void turnsStayInRange(Kind kind) {
    int width = 8;
    Rotary rotary = new Rotary(kind, new Size(3, 7), 2, null);
    Rotation.Turns turns = Rotation.Turns.of(rotary, width);
    Rotation rotation = new Rotation("rope", turns, Dyadic.of(0x1p-16), 1);
    Random random = new Random(1);
    short[] codes = new short[width];
    for (int token = 0; token < rotary.tokens(); token++) {
      for (int trial = 0; trial < 50; trial++) {
        for (int c = 0; c < width; c++) {
          codes[c] =
              switch (random.nextInt(3)) {
                case 0 -> Short.MIN_VALUE;
                case 1 -> Short.MAX_VALUE;
                default -> (short) random.nextInt();
              };
        }
        for (int c = 0; c < width; c++) {
          int partner = kind.partner(c, width);
          int a = rotation.turned(codes, 0, token, c);
          int b = rotation.turned(codes, 0, token, partner);
          assertThat(Math.abs(a)).isLessThan(1 << 30);
          double before = Math.hypot(codes[c], codes[partner]) * (1 << Rotation.BITS);
          assertThat(Math.hypot(a, b)).isCloseTo(before, within(65536.0));
          if (token < 2) {
            assertThat(a).isEqualTo(codes[c] << Rotation.BITS);
          }
        }
      }
    }
  }

  @Test
  void refusals() {
    Rotary rotary = new Rotary(Kind.DINOV3, new Size(2, 2), 1, null);
    assertThatThrownBy(() -> new Rotary(Kind.DINOV3, Size.of(2), 1, Size.of(3)))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("reference with kind dinov3, expected kind cat");
    assertThatThrownBy(() -> new Rotary(Kind.CAT, Size.of(2), -1, null))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("leading is -1");
    assertThatThrownBy(() -> new Block("blocks.0", 12, 2, 4, 5, null, rotary, null, null, 1e-6))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("heads of 6 channels with rotary positions, expected a multiple");
    assertThatThrownBy(() -> new Block("blocks.0", 8, 2, 4, 6, null, rotary, null, null, 1e-6))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("has 6 tokens, expected those of its rotary positions, 5");
  }
}
