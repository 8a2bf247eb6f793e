package org.ivit.core.arithmetic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import org.ivit.core.InputException;
import org.junit.jupiter.api.Test;

class OutlierChannelsTest {

  @Test
  void theLargestGapOfFourDecides() {
    // 214 where the next reaches 12: 12 · 2^5 is the first to reach it.
    assertThat(OutlierChannels.choose(new float[] {12f, 3f, 214f, 11f}))
        .isEqualTo(new OutlierChannels(new int[] {2}, 5));
    // Two gaps: the one further down wins, k spans from there to the largest.
    assertThat(OutlierChannels.choose(new float[] {1f, 100f, 0.5f, 10f, 1000f}))
        .isEqualTo(new OutlierChannels(new int[] {1, 3, 4}, 10));
    // Exactly four times counts.
    assertThat(OutlierChannels.choose(new float[] {1f, 4f}))
        .isEqualTo(new OutlierChannels(new int[] {1}, 2));
    assertThat(OutlierChannels.choose(new float[] {1f, Math.nextDown(4f)}))
        .isEqualTo(OutlierChannels.NONE);
  }

  @Test
  void noMoreThanSixteenChannels() {
    float[] largest = new float[40];
    Arrays.fill(largest, 1f);
    Arrays.fill(largest, 0, 16, 8f);
    assertThat(OutlierChannels.choose(largest).channels()).hasSize(16);
    largest[16] = 8f;
    assertThat(OutlierChannels.choose(largest)).isEqualTo(OutlierChannels.NONE);
  }

  @Test
  void nodesThatHaveNone() {
    assertThat(OutlierChannels.choose(new float[0])).isEqualTo(OutlierChannels.NONE);
    assertThat(OutlierChannels.choose(new float[] {5f})).isEqualTo(OutlierChannels.NONE);
    assertThat(OutlierChannels.choose(new float[4])).isEqualTo(OutlierChannels.NONE);
    // A rest of zero has no k, one of 2^−40 none that an accumulator could hold.
    assertThat(OutlierChannels.choose(new float[] {1f, 0f})).isEqualTo(OutlierChannels.NONE);
    assertThat(OutlierChannels.choose(new float[] {1f, 0x1p-40f})).isEqualTo(OutlierChannels.NONE);
    assertThat(OutlierChannels.choose(new float[] {1f, 0x1p-23f}).shift()).isEqualTo(23);
  }

  @Test
  void aSharedSetHasItsOwnShiftInEachNode() {
    int[] channels = {1};
    assertThat(OutlierChannels.withShiftFor(channels, new float[] {3f, 5f, 2f}).shift())
        .isEqualTo(1);
    assertThat(OutlierChannels.withShiftFor(channels, new float[] {3f, 13f, 2f}).shift())
        .isEqualTo(3);
    assertThat(OutlierChannels.withShiftFor(channels, new float[] {3f, 1f, 2f}).shift())
        .isEqualTo(1);
    assertThat(OutlierChannels.withShiftFor(channels, new float[] {0f, 1f}).shift())
        .isEqualTo(OutlierChannels.MAX_SHIFT);
    assertThat(OutlierChannels.withShiftFor(new int[0], new float[] {1f}))
        .isEqualTo(OutlierChannels.NONE);
  }

  @Test
  void scalesOfTheirChannels() {
    OutlierChannels outliers = new OutlierChannels(new int[] {1, 4}, 5);
    assertThat(outliers.contains(1)).isTrue();
    assertThat(outliers.contains(2)).isFalse();
    assertThat(outliers.scale(0.1f, 4)).isEqualTo(0.1f * 32);
    assertThat(outliers.scale(0.1f, 0)).isEqualTo(0.1f);
    assertThat(outliers).hasToString("OutlierChannels[1, 4]<<5");
    assertThat(outliers.hashCode()).isEqualTo(new OutlierChannels(new int[] {1, 4}, 5).hashCode());
    assertThat(OutlierChannels.NONE.factor()).isEqualTo(1.0);
    assertThat(OutlierChannels.NONE.isEmpty()).isTrue();
  }

  @Test
  void refusesSetsThatAreNone() {
    for (int[] channels : new int[][] {{-1}, {2, 1}, {1, 1}}) {
      assertThatThrownBy(() -> new OutlierChannels(channels, 1))
          .isInstanceOf(InputException.class)
          .hasMessage(
              "outlier channels " + Arrays.toString(channels) + ": expected ascending indices");
    }
    assertThatThrownBy(() -> new OutlierChannels(new int[] {1}, 0))
        .hasMessage("outlier channels [1] with shift 0: expected a shift of 1 to 23");
    assertThatThrownBy(() -> new OutlierChannels(new int[] {1}, 24))
        .isInstanceOf(InputException.class);
    assertThatThrownBy(() -> new OutlierChannels(new int[0], 1))
        .hasMessage("outlier channels [] with shift 1: expected a shift of 0");
  }
}
