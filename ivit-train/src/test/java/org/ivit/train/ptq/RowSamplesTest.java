package org.ivit.train.ptq;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.calibration.NodeValues;
import org.ivit.core.calibration.PublishedObserver;
import org.ivit.core.family.Architectures;
import org.ivit.core.family.Vit;
import org.junit.jupiter.api.Test;

class RowSamplesTest {
  private static final Architecture VIT =
      new Vit("two blocks", 4, 2, 4, 2, 2, 6, 3, 1e-6).architecture();

  /** The same tokens; the class token alone is read. */
  private static final Architecture HEADLESS =
      Architectures.parse(
          """
          {"kind":"vit","image":4,"patch":2,"dim":8,"depth":2,"heads":2,"hidden":12,"classes":0}""");

  private static final int WIDTH = 3;

  /** Row r holds r, r, −r from {@code first} on. */
  private static NodeValues values(String node, int first, int rows) {
    float[] x = new float[rows * WIDTH];
    for (int r = 0; r < rows; r++) {
      x[r * WIDTH] = first + r;
      x[r * WIDTH + 1] = first + r;
      x[r * WIDTH + 2] = -(first + r);
    }
    return new NodeValues(VIT.nodes().get(node), x, WIDTH, OutlierChannels.NONE);
  }

  private static List<Integer> rows(RowSamples.Sample sample) {
    List<Integer> rows = new ArrayList<>();
    for (int i = 0; i < sample.rows().length; i += WIDTH) {
      int row = (int) sample.rows()[i];
      assertThat(sample.rows()[i + 1]).isEqualTo(row);
      assertThat(sample.rows()[i + 2]).isEqualTo(-row);
      rows.add(row);
    }
    return rows;
  }

  @Test
  void keepsDistinctWholeRowsAndTheMaximaOfAll() {
    RowSamples samples = new RowSamples(new PublishedObserver(), 10, ReadTokens.ALL);
    samples.observe(values("blocks.0.norm1", 0, 1000));
    samples.observe(values("blocks.0.norm1", 1000, 1000));
    samples.observe(values("blocks.0.norm1", 2000, 4));
    samples.observe(values("blocks.0.attn.qkv", 0, 50));
    assertThat(samples.samples()).containsOnlyKeys("blocks.0.norm1");
    RowSamples.Sample sample = samples.samples().get("blocks.0.norm1");
    assertThat(sample.channels()).isEqualTo(WIDTH);
    assertThat(sample.largest()).containsExactly(2003, 2003, 2003);
    List<Integer> rows = rows(sample);
    assertThat(rows).doesNotHaveDuplicates().isSorted().hasSize(24);
    assertThat(rows.subList(0, 10)).allMatch(row -> row < 1000);
    assertThat(rows.subList(10, 20)).allMatch(row -> row >= 1000 && row < 2000);
    assertThat(rows.subList(20, 24)).containsExactly(2000, 2001, 2002, 2003);
  }

  /** An error of one is multiplied by the other. */
  @Test
  void keepsTheSameRowsOfGatesAndWhatTheyGate() {
    Architecture gated =
        Architectures.parse(
            """
            {"kind": "vit", "image": 4, "patch": 2, "dim": 4, "depth": 1, "heads": 1,
             "hidden": 3, "classes": 3, "mlp": "swiglu"}
            """);
    RowSamples samples = new RowSamples(new PublishedObserver(), 10, ReadTokens.of(gated));
    for (int batch = 0; batch < 2; batch++) {
      for (String node : List.of("blocks.0.mlp.fc1_g", "blocks.0.mlp.fc1_x")) {
        float[] x = values("norm", 1000 * batch, 1000).values();
        samples.observe(new NodeValues(gated.nodes().get(node), x, WIDTH, OutlierChannels.NONE));
      }
    }
    assertThat(rows(samples.samples().get("blocks.0.mlp.fc1_x")))
        .hasSize(20)
        .isEqualTo(rows(samples.samples().get("blocks.0.mlp.fc1_g")));
  }

  @Test
  void drawsTheSameRowsAgain() {
    RowSamples first = new RowSamples(new PublishedObserver(), 7, ReadTokens.ALL);
    RowSamples second = new RowSamples(new PublishedObserver(), 7, ReadTokens.ALL);
    first.observe(values("norm", 0, 100));
    second.observe(values("norm", 0, 100));
    assertThat(first.samples().get("norm").rows())
        .containsExactly(second.samples().get("norm").rows());
  }

  @Test
  void keepsTheClassTokensOfAllPicturesWhichCountAsMuchAsTheOthersTogether() {
    int tokens = VIT.blocks().get(0).tokens();
    int pictures = 8;
    RowSamples samples = new RowSamples(new PublishedObserver(), pictures, ReadTokens.of(HEADLESS));
    samples.observe(values("blocks.1.norm2", 1, tokens * pictures));
    samples.observe(values("norm", 1, tokens * pictures));
    RowSamples.Sample sample = samples.samples().get("blocks.1.norm2");
    List<Integer> rows = rows(sample);
    assertThat(rows).hasSize(2 * pictures).doesNotHaveDuplicates().isSorted();
    for (int i = 0; i < pictures; i++) {
      assertThat(rows).contains(1 + i * tokens);
    }
    assertThat(sample.weights()).containsOnly(1);
    assertThat(sample.largestRead()[2]).isEqualTo(1 + (pictures - 1) * tokens);
    assertThat(samples.samples().get("norm").largestRead()).containsOnly(0);

    RowSamples more =
        new RowSamples(new PublishedObserver(), 2 * pictures, ReadTokens.of(HEADLESS));
    more.observe(values("blocks.1.norm2", 1, tokens * pictures));
    sample = more.samples().get("blocks.1.norm2");
    rows = rows(sample);
    float[] weights = sample.weights();
    for (int i = 0; i < rows.size(); i++) {
      assertThat(weights[i]).isEqualTo((rows.get(i) - 1) % tokens == 0 ? 1.5f : 0.75f);
    }
  }

  /** An activation function is flat below 0, so that nothing there need be held. */
  @Test
  void largeValuesBelowZeroCountButBeforeAnActivationFunction() {
    RowSamples samples = new RowSamples(new PublishedObserver(), 1, ReadTokens.of(HEADLESS));
    samples.observe(values("blocks.0.norm2", 7, 1));
    samples.observe(values("blocks.0.mlp.fc1", 7, 1));
    assertThat(samples.samples().get("blocks.0.norm2").largestRead()).containsExactly(7, 7, 7);
    assertThat(samples.samples().get("blocks.0.mlp.fc1").largestRead()).containsExactly(7, 7, 0);
    assertThat(samples.samples().get("blocks.0.mlp.fc1").largest()).containsExactly(7, 7, 7);
  }

  @Test
  void aMeanAnAttentionAndClassesReadAllTokensAlike() {
    assertThat(ReadTokens.of(VIT)).isSameAs(ReadTokens.ALL);
    for (String pool : new String[] {"avg", "map"}) {
      Architecture pooled =
          Architectures.parse(
              """
              {"kind":"vit","image":4,"patch":2,"dim":4,"depth":2,"heads":2,"classes":0,\
              "pool":"%s"}"""
                  .formatted(pool));
      assertThat(ReadTokens.of(pooled)).as(pool).isSameAs(ReadTokens.ALL);
    }
    ReadTokens read = ReadTokens.of(HEADLESS);
    assertThat(read.reads("blocks.0.mlp.act", 5)).isTrue();
    assertThat(read.reads("blocks.0.mlp.act", 4)).isFalse();
    assertThat(read.reads("norm", 0)).isFalse();
  }
}
