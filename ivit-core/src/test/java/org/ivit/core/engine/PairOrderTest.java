package org.ivit.core.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.ivit.core.Size;
import org.ivit.core.architecture.Rotary;
import org.ivit.core.architecture.Rotary.Kind;
import org.ivit.core.arithmetic.DyadicVector;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.graph.Linear;
import org.ivit.core.graph.Rotation.Turns;
import org.junit.jupiter.api.Test;

class PairOrderTest {
  private static final short[] CHANNELS = {0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17};

  private static Turns turns(Kind kind) {
    return Turns.of(new Rotary(kind, new Size(2, 2), 0, null), 8);
  }

  @Test
  void bringsPairsSideBySide() {
    assertThat(PairOrder.neighbours(turns(Kind.DINOV3)).of(CHANNELS))
        .containsExactly(0, 4, 1, 5, 2, 6, 3, 7, 10, 14, 11, 15, 12, 16, 13, 17);
    assertThat(PairOrder.neighbours(turns(Kind.CAT)).of(CHANNELS)).isEqualTo(CHANNELS);
  }

  @Test
  void bringsPairsHalfAHeadApart() {
    assertThat(PairOrder.halves(turns(Kind.CAT)).of(CHANNELS))
        .containsExactly(0, 2, 4, 6, 1, 3, 5, 7, 10, 12, 14, 16, 11, 13, 15, 17);
    assertThat(PairOrder.halves(turns(Kind.DINOV3)).of(CHANNELS)).isEqualTo(CHANNELS);
  }

  @Test
  void leavesValuesWhereTheyAre() {
    int outputs = 3 * 2 * 8;
    byte[] weight = new byte[2 * outputs];
    int[] bias = new int[outputs];
    int[] multiplier = new int[outputs];
    byte[] shift = new byte[outputs];
    for (int c = 0; c < outputs; c++) {
      weight[2 * c] = (byte) c;
      weight[2 * c + 1] = (byte) -c;
      bias[c] = 3 * c;
      multiplier[c] = (1 << 30) + c;
      shift[c] = (byte) (10 + c);
    }
    DyadicVector multipliers = new DyadicVector(multiplier, shift);
    Linear ordered =
        PairOrder.neighbours(turns(Kind.DINOV3))
            .of(
                new Linear(
                    "qkv", 2, outputs, weight, bias, OutlierChannels.NONE, multipliers, 16, 1));
    int[] order = {0, 4, 1, 5, 2, 6, 3, 7};
    for (int c = 0; c < outputs; c++) {
      int from = c < 32 ? c / 8 * 8 + order[c % 8] : c;
      assertThat(ordered.weight()[2 * c]).isEqualTo((byte) from);
      assertThat(ordered.weight()[2 * c + 1]).isEqualTo((byte) -from);
      assertThat(ordered.bias()[c]).isEqualTo(3 * from);
      assertThat(ordered.requantization().multiplier()[c]).isEqualTo((1 << 30) + from);
      assertThat(ordered.requantization().shift()[c]).isEqualTo((byte) (10 + from));
    }
    assertThat(ordered.bits()).isEqualTo(16);
  }
}
