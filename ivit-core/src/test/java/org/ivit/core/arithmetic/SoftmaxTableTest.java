package org.ivit.core.arithmetic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.Random;
import org.assertj.core.data.Offset;
import org.ivit.core.InputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SoftmaxTableTest {

  private static short[] row(SoftmaxTable table, byte[] scores, boolean[] masked) {
    short[] out = new short[scores.length];
    table.row(scores, 0, scores.length, masked, 0, out, 0);
    return out;
  }

  private static int bits(SoftmaxForm form) {
    return form == SoftmaxForm.DEFERRED ? 8 : 16;
  }

  /**
   * Means of values by rows of codes, flat ones too, which eight bits of probability cannot hold.
   */
  @Test
  void aDeferredDivisionKeepsFlatRows() {
    Random random = new Random(3);
    for (int tokens : new int[] {1, 2, 49, 197, 1025, 65_535}) {
      for (float scale : new float[] {2f, 0.3f, 0.02f, 0.0009f}) {
        SoftmaxTable table = SoftmaxTable.of("softmax", SoftmaxForm.DEFERRED, scale, tokens, 8);
        assertThat(table.exponentials()[0]).isEqualTo(255);
        for (int spread : new int[] {1, 2, 30, 256}) {
          byte[] scores = new byte[tokens];
          byte[] values = new byte[tokens];
          random.nextBytes(values);
          for (int i = 0; i < tokens; i++) {
            scores[i] = (byte) (random.nextInt(spread) - 128);
          }
          short[] p = row(table, scores, null);
          int acc = 0;
          for (int i = 0; i < tokens; i++) {
            assertThat((int) p[i]).isBetween(0, 255);
            acc += p[i] * values[i];
          }
          int y = SoftmaxTable.normalise(acc, SoftmaxTable.factor((int) sum(p)));
          double mean = acc / (double) sum(p);
          // The factor is a whole number: its error is at most one part of itself.
          double error = Math.abs(mean) * sum(p) / Integer.MAX_VALUE + 0x1p-15;
          assertThat(y * 0x1p-15).isCloseTo(mean, Offset.offset(error));
        }
      }
    }
  }

  @Test
  void extremesOfADeferredDivisionFit() {
    for (int sum : new int[] {255, 256, 1000, 255 * 65_535}) {
      for (int value : new int[] {-128, -1, 0, 1, 127}) {
        int y = SoftmaxTable.normalise(value * sum, SoftmaxTable.factor(sum));
        assertThat((double) y / (1 << 15)).isCloseTo(value, Offset.offset(1.0));
        assertThat(Math.abs((long) y)).isLessThanOrEqualTo(128L << 15);
      }
    }
    assertThatThrownBy(
            () -> SoftmaxTable.of("softmax", SoftmaxForm.DEFERRED, 1f, 10, 8).prove("s", 65_794))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("65794 exponentials times values may reach 2147516160");
  }

  private static long sum(short[] row) {
    long sum = 0;
    for (short p : row) {
      sum += p;
    }
    return sum;
  }

  @ParameterizedTest
  @EnumSource(names = "DEFERRED", mode = EnumSource.Mode.EXCLUDE)
  void rowsNeverSumToMoreThanTheirBoundAndFit32Bits(SoftmaxForm form) {
    Random random = new Random(7);
    for (int tokens : new int[] {1, 2, 3, 49, 197, 577}) {
      for (float scale : new float[] {2f, 0.3f, 0.02f, 0.0009f}) {
        for (int bits : new int[] {2, 8, 16}) {
          SoftmaxTable table = SoftmaxTable.of("softmax", form, scale, tokens, bits);
          assertThat((long) table.exponentials()[0] * tokens).isLessThan(1L << 31);
          for (int spread : new int[] {1, 2, 30, 256}) {
            byte[] scores = new byte[tokens];
            for (int i = 0; i < tokens; i++) {
              scores[i] = (byte) (random.nextInt(spread) - 128);
            }
            short[] p = row(table, scores, null);
            long slack = form == SoftmaxForm.EXACT ? tokens / 2 : 0;
            assertThat(sum(p)).isLessThanOrEqualTo((1L << (bits - 1)) + slack);
            long total = 0;
            int max = -128;
            for (byte score : scores) {
              max = Math.max(max, score);
            }
            for (byte score : scores) {
              total += table.exponentials()[max - score];
            }
            assertThat(table.exponentials()[0] * (Integer.MAX_VALUE / total) + table.rounding())
                .isLessThan(1L << 32);
            for (short value : p) {
              assertThat((int) value).isBetween(0, (1 << (bits - 1)) - 1);
            }
          }
        }
      }
    }
  }

  @Test
  void aSingleScoreTakesAll() {
    SoftmaxTable exact = SoftmaxTable.of("softmax", SoftmaxForm.EXACT, 0.05f, 1, 16);
    SoftmaxTable exact8 = SoftmaxTable.of("softmax", SoftmaxForm.EXACT, 0.05f, 1, 8);
    SoftmaxTable shift = SoftmaxTable.of("softmax", SoftmaxForm.SHIFT, 0.05f, 1, 16);
    SoftmaxTable shift8 = SoftmaxTable.of("softmax", SoftmaxForm.SHIFT, 0.05f, 1, 8);
    for (byte score : new byte[] {-128, 0, 127}) {
      byte[] row = {score};
      assertThat(row(exact, row, null)).containsExactly(32767);
      assertThat(row(exact8, row, null)).containsExactly(127);
      // E = 20·2^15, factor = floor((2^31−1)/E) = 3276: 20·3276/2.
      assertThat(row(shift, row, null)).containsExactly(32760);
      assertThat(row(shift8, row, null)).containsExactly(127);
    }
  }

  @ParameterizedTest
  @EnumSource(SoftmaxForm.class)
  void onlyDifferencesToTheMaximumMatter(SoftmaxForm form) {
    SoftmaxTable table = SoftmaxTable.of("softmax", form, 0.03f, 5, bits(form));
    byte[] low = {-128, -100, -101, -128, -90};
    byte[] high = {89, 117, 116, 89, 127};
    assertThat(row(table, low, null)).isEqualTo(row(table, high, null));
    assertThat(row(table, new byte[] {-128, 127}, null)[0])
        .isLessThanOrEqualTo(row(table, new byte[] {-127, 127}, null)[0]);
  }

  @Test
  void longFlatRowsOfThePaperLoseMass() {
    short[] p =
        row(SoftmaxTable.of("softmax", SoftmaxForm.SHIFT, 0.02f, 197, 8), new byte[197], null);
    assertThat(sum(p)).isZero();
    short[] wide =
        row(SoftmaxTable.of("softmax", SoftmaxForm.SHIFT, 0.02f, 197, 16), new byte[197], null);
    short[] exact =
        row(SoftmaxTable.of("softmax", SoftmaxForm.EXACT, 0.02f, 197, 16), new byte[197], null);
    // floor((2^31−1)/sum) = 6 has few bits left: 150 of 166.3, 0.90 of the mass.
    assertThat(wide).containsOnly((short) 150);
    assertThat(exact[0]).isEqualTo((short) 166);
  }

  @ParameterizedTest
  @EnumSource(SoftmaxForm.class)
  void maskedScoresDoNotTakePartInTheMaximum(SoftmaxForm form) {
    SoftmaxTable table = SoftmaxTable.of("softmax", form, 0.3f, 4, bits(form));
    byte[] scores = {10, 127, 12, -128};
    boolean[] masked = {false, true, false, true};
    short[] p = row(table, scores, masked);
    assertThat(p[1]).isEqualTo(p[3]);
    byte[] others = {10, -7, 12, 126};
    assertThat(row(table, others, masked)).isEqualTo(p);
    if (form != SoftmaxForm.SHIFT) {
      assertThat(p[1]).isZero();
      assertThat(new short[] {p[0], p[2]}).isEqualTo(row(table, new byte[] {10, 12}, null));
    } else {
      // What a very negative score would get: E at saturation.
      assertThat(table.exponentials()[SoftmaxTable.MASKED])
          .isEqualTo((int) ShiftExponential.of("softmax", 0.3f, 15, 4).smallest());
    }
    boolean[] none = new boolean[4];
    assertThat(row(table, scores, none)).isEqualTo(row(table, scores, null));
  }

  @ParameterizedTest
  @EnumSource(SoftmaxForm.class)
  void aFullyMaskedRowIsRefused(SoftmaxForm form) {
    SoftmaxTable table = SoftmaxTable.of("softmax", form, 0.3f, 2, bits(form));
    assertThatThrownBy(() -> row(table, new byte[2], new boolean[] {true, true}))
        .isInstanceOf(InputException.class)
        .hasMessage("softmax: refused, every score of a row of 2 is masked");
  }

  @Test
  void offsetsAreHonoured() {
    SoftmaxTable table = SoftmaxTable.of("softmax", SoftmaxForm.EXACT, 0.3f, 3, 16);
    byte[] scores = {127, 1, 2, 3, 127};
    boolean[] masked = {true, true, false, true, false};
    short[] out = new short[6];
    Arrays.fill(out, (short) -1);
    table.row(scores, 1, 3, masked, 2, out, 2);
    short[] expected = row(table, new byte[] {1, 2, 3}, new boolean[] {false, true, false});
    assertThat(out).containsExactly(-1, -1, expected[0], expected[1], expected[2], -1);
  }

  @Test
  void theExactTableFitsLessThan65536Tokens() {
    SoftmaxTable table = SoftmaxTable.of("softmax", SoftmaxForm.EXACT, 0.01f, 65_535, 16);
    byte[] scores = new byte[65_535];
    assertThat(row(table, scores, null)).containsOnly((short) 1);
    assertThatCode(() -> table.prove("softmax", 65_535)).doesNotThrowAnyException();
    assertThatThrownBy(() -> table.prove("blocks.1.softmax", 65_536))
        .isInstanceOf(InputException.class)
        .hasMessage(
            "blocks.1.softmax: refused, the sum of 65536 exponentials may reach 2147483648,"
                + " expected below 2^31");
    assertThatThrownBy(
            () -> SoftmaxTable.of("blocks.1.softmax", SoftmaxForm.EXACT, 0.01f, 65_536, 16))
        .isInstanceOf(InputException.class)
        .hasMessage("blocks.1.softmax: refused, 65536 tokens, expected below 65536");
    assertThatThrownBy(() -> SoftmaxTable.of("softmax", SoftmaxForm.SHIFT, 0x1p-23f, 256, 16))
        .hasMessageStartingWith("softmax: refused, at scale 1.1920929E-7");
    assertThatThrownBy(() -> SoftmaxTable.of("softmax", SoftmaxForm.EXACT, Float.NaN, 2, 16))
        .hasMessage("softmax: scale NaN, expected a positive finite value");
  }

  @Test
  void theExactTableFallsFromTwoToThe15() {
    SoftmaxTable table = SoftmaxTable.of("softmax", SoftmaxForm.EXACT, 1f, 10, 8);
    assertThat(table.exponentials()).startsWith(32768, 12055, 4435, 1631).endsWith(0, 0);
    assertThat(table.rounding()).isEqualTo(1 << 23);
    assertThat(table)
        .isEqualTo(SoftmaxTable.of("softmax", SoftmaxForm.EXACT, 1f, 99, 8))
        .hasSameHashCodeAs(SoftmaxTable.of("softmax", SoftmaxForm.EXACT, 1f, 99, 8))
        .isNotEqualTo(SoftmaxTable.of("softmax", SoftmaxForm.EXACT, 1f, 10, 16))
        .isNotEqualTo(SoftmaxTable.of("softmax", SoftmaxForm.DEFERRED, 1f, 10, 8))
        .hasToString("SoftmaxTable[E[0]=32768, H=8388608, bits=8, deferred=false]");
  }

  @Test
  void refusesTablesThatAreNone() {
    int[] good = SoftmaxTable.of("softmax", SoftmaxForm.EXACT, 1f, 10, 16).exponentials();
    assertThatThrownBy(() -> new SoftmaxTable(new int[256], 0, 16, false))
        .isInstanceOf(InputException.class)
        .hasMessage("softmax table: 256 entries, expected 257");
    assertThatThrownBy(() -> new SoftmaxTable(new int[257], 0, 16, false))
        .hasMessage("softmax table: entry 0 is 0, expected >= 1");
    assertThatThrownBy(() -> new SoftmaxTable(good, 0, 8, true))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("entry 0 is 32768, expected 8, 0 and at most 255 in form deferred");
    assertThatThrownBy(() -> new SoftmaxTable(good, 0, 17, false))
        .hasMessage("softmax table: 17 bits, expected 2 to 16");
    assertThatThrownBy(() -> new SoftmaxTable(good, 5, 16, false))
        .hasMessage("softmax table: rounding 5, expected 0 or 32768");
    int[] large = good.clone();
    large[7] = good[0] + 1;
    assertThatThrownBy(() -> new SoftmaxTable(large, 0, 16, false))
        .hasMessage("softmax table: entry 7 is 32769, expected 0 to 32768");
    large[7] = -1;
    assertThatThrownBy(() -> new SoftmaxTable(large, 0, 16, false))
        .hasMessage("softmax table: entry 7 is -1, expected 0 to 32768");
  }

  @Test
  void formsHaveNames() {
    for (SoftmaxForm form : SoftmaxForm.values()) {
      assertThat(SoftmaxForm.parse(form.key())).isEqualTo(form);
    }
    for (GeluForm form : GeluForm.values()) {
      assertThat(GeluForm.parse(form.key())).isEqualTo(form);
    }
    assertThatThrownBy(() -> SoftmaxForm.parse("Shift"))
        .hasMessage("softmax form 'Shift': expected shift, exact or deferred");
    assertThatThrownBy(() -> GeluForm.parse("erf"))
        .hasMessage("GELU form 'erf': expected row, element, exact or asymmetric");
  }
}
