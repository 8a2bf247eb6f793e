package org.ivit.core.calibration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Node;
import org.ivit.core.architecture.NodeKind;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.engine.reference.ReferenceMatrixProducts;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.testing.GoldenModel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;

class ObservingForwardTest {
  @SuppressWarnings("unused")
  static final List<String> MODELS = GoldenModel.NAMES;

  private static ObservingForward forward(GoldenModel model, FloatWeights weights) {
    return new ObservingForward(
        model.architecture(),
        weights,
        model.scheme(),
        new ReferenceMatrixProducts(),
        new PublishedObserver());
  }

  @ParameterizedTest
  @FieldSource("MODELS")
  void threeBatchesGiveTheGoldenRanges(String name) {
    GoldenModel model = new GoldenModel(name);
    ObservingForward forward = forward(model, model.weights());
    for (int batch = 0; batch < 3; batch++) {
      forward.run(model.calibrationBatch(batch), model.pictures());
    }
    assertThat(forward.ranges()).isEqualTo(model.ranges());
  }

  @ParameterizedTest
  @ValueSource(strings = {"micro_vit", "micro_swin_window7"})
  void observesEveryNodeInOrder(String name) {
    GoldenModel model = new GoldenModel(name);
    Architecture architecture = model.architecture();
    java.util.ArrayList<String> seen = new java.util.ArrayList<>();
    PublishedObserver published = new PublishedObserver();
    new ObservingForward(
            architecture,
            model.weights(),
            model.scheme(),
            new ReferenceMatrixProducts(),
            values -> {
              seen.add(values.node().name());
              return published.observe(values);
            })
        .run(model.calibrationBatch(0), model.pictures());
    assertThat(seen).isEqualTo(List.copyOf(architecture.nodes().keySet()));
  }

  @Test
  void namesTheNodeOfAWeightThatIsNotANumber() {
    GoldenModel model = new GoldenModel("micro_vit");
    FloatWeights weights = model.weights();
    weights.get("blocks.1.norm2.weight")[3] = Float.NaN;
    assertThatThrownBy(() -> forward(model, weights).run(model.calibrationBatch(0), 4))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("blocks.1.norm2");
  }

  @Test
  void leavesOutlierChannelsOutOfTheIncludedValues() {
    NodeValues values =
        new NodeValues(
            new Node("norm", NodeKind.NORM),
            new float[] {0, 1, 2, 3, 4, 5, 6, 7},
            4,
            new OutlierChannels(new int[] {1, 3}, 2));
    assertThat(values.included()).containsExactly(0, 2, 4, 6);
  }
}
