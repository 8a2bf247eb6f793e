package org.ivit.train.ptq;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Map;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.calibration.NodeValues;
import org.ivit.core.calibration.PublishedObserver;
import org.ivit.core.family.Architectures;
import org.ivit.core.family.Vit;
import org.ivit.core.scheme.Range;
import org.junit.jupiter.api.Test;

class OutlierSearchTest {
  private static final Architecture VIT =
      new Vit("eight blocks", 4, 2, 4, 8, 2, 6, 3, 1e-6).architecture();

  private static float[] flat(int n, float value) {
    float[] maxima = new float[n];
    Arrays.fill(maxima, value);
    return maxima;
  }

  @Test
  void findsTheChannelOfTheRealModel() {
    float[] fc1 = flat(768, 12);
    fc1[417] = 214;
    float[] act = flat(768, 11);
    act[417] = 214;
    assertThat(
            OutlierSearch.choose(
                VIT,
                Map.of("blocks.7.mlp.fc1", fc1, "blocks.7.mlp.act", act, "norm", flat(9, 1)),
                GeluForm.EXACT))
        .containsOnly(
            Map.entry("blocks.7.mlp.fc1", new OutlierChannels(new int[] {417}, 5)),
            Map.entry("blocks.7.mlp.act", new OutlierChannels(new int[] {417}, 5)));
  }

  @Test
  void fc1AndActShareTheirChannels() {
    float[] fc1 = flat(40, 1);
    fc1[3] = 9; // negative before GELU, nothing after it
    fc1[5] = 2;
    float[] act = flat(40, 0.25f);
    act[3] = 0.1f;
    act[5] = 2;
    var outliers =
        OutlierSearch.choose(
            VIT, Map.of("blocks.0.mlp.fc1", fc1, "blocks.0.mlp.act", act), GeluForm.EXACT);
    assertThat(outliers.get("blocks.0.mlp.fc1"))
        .isEqualTo(new OutlierChannels(new int[] {3, 5}, 4));
    assertThat(outliers.get("blocks.0.mlp.act"))
        .isEqualTo(new OutlierChannels(new int[] {3, 5}, 3));
  }

  @Test
  void otherFormsHaveNoneAroundGelu() {
    float[] maxima = flat(40, 1);
    maxima[0] = 100;
    assertThat(
            OutlierSearch.choose(
                VIT,
                Map.of(
                    "blocks.0.mlp.fc1",
                    maxima,
                    "blocks.0.mlp.act",
                    maxima,
                    "blocks.0.norm2",
                    maxima),
                GeluForm.ROW))
        .containsOnlyKeys("blocks.0.norm2");
  }

  /** The gating does not depend on the form of GELU. */
  @Test
  void gatedValuesAndTheirNormHaveTheirOwn() {
    Architecture gated =
        Architectures.parse(
            """
            {"kind": "vit", "image": 4, "patch": 2, "dim": 4, "depth": 2, "heads": 1,
             "hidden": 40, "classes": 3, "mlp": "swiglu"}
            """);
    float[] maxima = flat(40, 1);
    maxima[9] = 100;
    Map<String, float[]> largest =
        Map.of(
            "blocks.0.mlp.fc1_x",
            maxima,
            "blocks.0.mlp.act",
            maxima,
            "blocks.1.mlp.act",
            flat(40, 1));
    for (GeluForm gelu : GeluForm.values()) {
      assertThat(OutlierSearch.choose(gated, largest, gelu))
          .containsOnly(Map.entry("blocks.0.mlp.act", new OutlierChannels(new int[] {9}, 7)));
    }
  }

  @Test
  void keepsTheLargestOfEachChannelOverBatches() {
    ChannelMaxima maxima = new ChannelMaxima(new PublishedObserver());
    Range range =
        maxima.observe(
            new NodeValues(
                VIT.nodes().get("norm"), new float[] {1, -9, 2, 3}, 2, OutlierChannels.NONE));
    assertThat(range).isEqualTo(new Range(-9, 3));
    maxima.observe(
        new NodeValues(VIT.nodes().get("norm"), new float[] {-5, 4}, 2, OutlierChannels.NONE));
    maxima.observe(
        new NodeValues(
            VIT.nodes().get("blocks.0.attn.proj"), new float[] {1}, 1, OutlierChannels.NONE));
    assertThat(maxima.largest()).containsOnlyKeys("norm");
    assertThat(maxima.largest().get("norm")).containsExactly(5, 9);
  }
}
