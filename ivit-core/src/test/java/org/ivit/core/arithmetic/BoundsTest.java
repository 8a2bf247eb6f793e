package org.ivit.core.arithmetic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.Random;
import org.ivit.core.InputException;
import org.junit.jupiter.api.Test;

class BoundsTest {

  @Test
  void theAccumulatorBoundIsReached() {
    Random random = new Random(5);
    int inputs = 129;
    byte[] w = new byte[inputs];
    random.nextBytes(w);
    OutlierChannels outliers = new OutlierChannels(new int[] {2, 77}, 6);
    // −128 reaches the bound where every weight is at most 0, with a bias of its sign.
    byte[] x = new byte[inputs];
    Arrays.fill(x, (byte) -128);
    for (int k = 0; k < inputs; k++) {
      w[k] = (byte) -Math.abs(w[k]);
    }
    assertThat(Bounds.accumulator(w, 0, inputs, 5000, outliers))
        .isEqualTo(Products.linear(x, 0, w, 0, inputs, 5000, outliers));
  }

  @Test
  void theBoundCountsTheMostNegativeCodes() {
    byte[] w = {-128};
    assertThat(Bounds.accumulator(w, 0, 1, 0, OutlierChannels.NONE)).isEqualTo(128 * 128);
    assertThat(Bounds.accumulator(w, 0, 1, Integer.MIN_VALUE, OutlierChannels.NONE))
        .isEqualTo(128 * 128 + (1L << 31));
    assertThat(Bounds.accumulator(w, 0, 1, 0, new OutlierChannels(new int[] {0}, 23)))
        .isEqualTo(1L << 37);
  }

  @Test
  void proofNamesLayerChannelAndBound() {
    byte[] w = {1, 1};
    assertThatCode(
            () ->
                Bounds.proveAccumulators(
                    "head", w, new int[] {0, Integer.MAX_VALUE - 128}, 2, 1, OutlierChannels.NONE))
        .doesNotThrowAnyException();
    assertThatThrownBy(
            () ->
                Bounds.proveAccumulators(
                    "head", w, new int[] {0, Integer.MAX_VALUE - 127}, 2, 1, OutlierChannels.NONE))
        .isInstanceOf(InputException.class)
        .hasMessage(
            "head, channel 1: refused, its accumulator may reach 2147483648, expected below 2^31");
    assertThat(Bounds.accumulators(w, new int[] {3, -4}, 2, 1, OutlierChannels.NONE))
        .containsExactly(131, 132);
  }

  @Test
  void outlierChannelsMustBeInputs() {
    OutlierChannels outliers = new OutlierChannels(new int[] {1, 4}, 1);
    assertThatThrownBy(
            () ->
                Bounds.proveAccumulators(
                    "blocks.0.mlp.fc2", new byte[4], new int[1], 1, 4, outliers))
        .isInstanceOf(InputException.class)
        .hasMessage("blocks.0.mlp.fc2: outlier channel 4, expected below 4");
  }

  @Test
  void attentionAndPool() {
    assertThat(Bounds.scores(64)).isEqualTo(64 * 16384);
    Bounds.proveScores("blocks.0.attn.scores", 131_071);
    assertThatThrownBy(() -> Bounds.proveScores("blocks.0.attn.scores", 131_072))
        .hasMessage(
            "blocks.0.attn.scores: refused, its score may reach 2147483648, expected below 2^31");
    assertThat(Bounds.context(197, 16)).isEqualTo((32768 + 98) * 128);
    assertThat(Bounds.context(49, 8)).isEqualTo((128 + 24) * 128);
    Bounds.proveContext("blocks.0.attn.context", 65_535, 16);
    assertThatThrownBy(() -> Bounds.proveContext("blocks.0.attn.context", Integer.MAX_VALUE, 16))
        .hasMessageStartingWith("blocks.0.attn.context: refused, its context may reach");
    Bounds.provePool("pool", (1 << 24) - 1);
    assertThatThrownBy(() -> Bounds.provePool("pool", 1 << 24))
        .hasMessage("pool: refused, its sum may reach 2147483648, expected below 2^31");
  }

  @Test
  void logitsMustFitWithTheirRatio() {
    DyadicVector multipliers =
        DyadicVector.of("head", new float[] {64f, 32f}, 1f, OutlierChannels.NONE);
    Bounds.proveLogits("head", new long[] {(1 << 25) - 1, (1 << 26) - 1}, multipliers);
    assertThatThrownBy(() -> Bounds.proveLogits("head", new long[] {0, 1 << 26}, multipliers))
        .isInstanceOf(InputException.class)
        .hasMessage("head, class 1: refused, its logit may reach 2147483648, expected below 2^31");
    long[] half = {1 << 24, 1 << 25};
    Bounds.proveLogits("head", half, multipliers);
    assertThatThrownBy(() -> Bounds.proveLogits("heads", half, multipliers, half, multipliers))
        .hasMessage("heads, class 0: refused, its logit may reach 2147483648, expected below 2^31");
  }
}
