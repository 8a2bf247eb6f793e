package org.ivit.core.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.ivit.core.InputException;
import org.ivit.core.tensor.Tensor;
import org.junit.jupiter.api.Test;

class FloatWeightsTest {
  private static FloatWeights head(float[] weight, float... scale) {
    return FloatWeights.of(
        Map.of(
            "head.weight", Tensor.of(weight, 2, 3),
            "head.bias", Tensor.of(new float[2], 2),
            "head.weight_scale", Tensor.of(scale, scale.length)));
  }

  @Test
  void frozenScalesAreNoParameters() {
    FloatWeights weights = head(new float[6], 0.5f, 0.25f);
    assertThat(weights.values()).containsOnlyKeys("head.weight", "head.bias");
    assertThat(weights.frozenScale("head.weight")).containsExactly(0.5f, 0.25f);
    assertThat(weights.frozenScale("head.bias")).isNull();
  }

  @Test
  void doublesRoundToTheNearestFloat() {
    double[] doubles = {0.1, -1.0 / 3, 1 + 0x1p-24, 1 + 0x1.8p-23};
    FloatWeights weights = FloatWeights.of(Map.of("head.bias", Tensor.of(doubles, 4)));
    assertThat(weights.values().get("head.bias")).containsExactly(0.1f, -1f / 3, 1, 1 + 0x1p-22f);
  }

  @Test
  void requiresThatScalesHoldTheirWeights() {
    head(new float[] {63.5f, -64, 0, 31.75f, -32, 0}, 0.5f, 0.25f).requireCodes("w");
    assertThatThrownBy(
            () -> head(new float[] {63.5f, -64, 0, 31.75f, 32, 0}, 0.5f, 0.25f).requireCodes("w"))
        .isInstanceOf(InputException.class)
        .hasMessage(
            "w: head.weight: element 4 is 32.0, which is code 128 of its channel's frozen scale"
                + " 0.25, expected -128 to 127");
    assertThatThrownBy(() -> head(new float[] {Float.NaN, 0, 0, 0, 0, 0}, 1, 1).requireCodes("w"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("head.weight: element 0 is NaN");
    assertThatThrownBy(() -> head(new float[6], 1, 1, 1, 1).requireCodes("w"))
        .isInstanceOf(InputException.class)
        .hasMessage(
            "w: head.weight_scale: found 4 scales for 6 weights, expected one an output channel");
  }
}
