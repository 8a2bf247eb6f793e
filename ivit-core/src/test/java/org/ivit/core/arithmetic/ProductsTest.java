package org.ivit.core.arithmetic;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ProductsTest {

  @Test
  void outliersCountTwoToTheShiftTimes() {
    Random random = new Random(4);
    for (int inputs : new int[] {1, 2, 7, 33, 257}) {
      byte[] x = new byte[inputs + 3];
      byte[] w = new byte[inputs + 5];
      random.nextBytes(x);
      random.nextBytes(w);
      OutlierChannels outliers =
          inputs < 7
              ? new OutlierChannels(new int[] {inputs - 1}, 5)
              : new OutlierChannels(new int[] {0, 3, inputs - 1}, 5);
      long expected = -1234;
      for (int k = 0; k < inputs; k++) {
        expected += ((long) x[3 + k] * w[5 + k]) << (outliers.contains(k) ? 5 : 0);
      }
      assertThat(Products.linear(x, 3, w, 5, inputs, -1234, outliers))
          .isEqualTo(Math.toIntExact(expected));
    }
  }

  @Test
  void extremesAreExact() {
    byte[] lowest = new byte[4096];
    Arrays.fill(lowest, (byte) -128);
    assertThat(Products.dot(lowest, 0, lowest, 0, 4096)).isEqualTo(4096 * 128 * 128);
    assertThat(Products.linear(lowest, 0, lowest, 0, 1, 1 << 30, OutlierChannels.NONE))
        .isEqualTo(16384 + (1 << 30));
    assertThat(Products.dot(lowest, 0, lowest, 0, 0)).isZero();
  }

  @Test
  void partialSumsMayWrapWhereTheWholeFits() {
    // 131,071 · 16,384 is 2^31 − 2^14; the outlier's product wraps before the rest brings it back.
    int inputs = 131_071;
    byte[] x = new byte[inputs];
    byte[] w = new byte[inputs];
    Arrays.fill(x, (byte) -128);
    Arrays.fill(w, (byte) -128);
    assertThat(Products.linear(x, 0, w, 0, inputs, 0, OutlierChannels.NONE))
        .isEqualTo((1L << 31) - (1 << 14));
    assertThat(Bounds.accumulator(w, 0, inputs, 16_383, OutlierChannels.NONE))
        .isEqualTo(Integer.MAX_VALUE);
    assertThat(Products.linear(x, 0, w, 0, inputs, 16_383, OutlierChannels.NONE))
        .isEqualTo(Integer.MAX_VALUE);
  }

  @Test
  void contextWalksTheTokensByTheirStride() {
    short[] p = {9, 32767, 0, 1, 16384};
    byte[] v = new byte[3 + 4 * 7];
    long expected = 0;
    for (int t = 0; t < 4; t++) {
      v[3 + t * 7] = (byte) (t * 60 - 128);
      expected += (long) p[1 + t] * v[3 + t * 7];
    }
    assertThat(Products.context(p, 1, v, 3, 7, 4)).isEqualTo(Math.toIntExact(expected));
  }
}
