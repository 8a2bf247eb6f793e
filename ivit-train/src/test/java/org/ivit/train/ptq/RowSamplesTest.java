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
    RowSamples samples = new RowSamples(new PublishedObserver(), 10);
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
    RowSamples samples = new RowSamples(new PublishedObserver(), 10);
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
    RowSamples first = new RowSamples(new PublishedObserver(), 7);
    RowSamples second = new RowSamples(new PublishedObserver(), 7);
    first.observe(values("norm", 0, 100));
    second.observe(values("norm", 0, 100));
    assertThat(first.samples().get("norm").rows())
        .containsExactly(second.samples().get("norm").rows());
  }
}
