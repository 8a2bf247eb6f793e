package org.ivit.core.engine.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeSet;
import org.ivit.core.InputException;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.tensor.TensorFile;
import org.ivit.core.testing.GoldenModel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;

class ReferenceEngineTest {
  @SuppressWarnings("unused")
  static final java.util.List<String> MODELS = GoldenModel.NAMES;

  @ParameterizedTest
  @FieldSource("MODELS")
  void everyNodeEqualsTheGoldenTrace(String name) {
    GoldenModel model = new GoldenModel(name);
    IntegerGraph graph = model.graph();
    Map<String, Object> nodes = new LinkedHashMap<>();
    try (ReferenceEngine engine = new ReferenceEngine(graph)) {
      engine.logits(model.evalCodes(graph), model.pictures(), nodes::put);
    }
    TensorFile trace = model.file("trace");
    TreeSet<String> expected = new TreeSet<>(trace.tensors().keySet());
    expected.removeIf(tensor -> tensor.startsWith("scale/"));
    assertThat(nodes.keySet()).containsExactlyInAnyOrderElementsOf(expected);
    nodes.forEach((node, codes) -> assertThat(codes).as(node).isEqualTo(codesOf(trace.get(node))));
  }

  private static Object codesOf(Tensor tensor) {
    return switch (tensor.dtype()) {
      case I8 -> tensor.bytes();
      case I16 -> tensor.shorts();
      default -> tensor.ints();
    };
  }

  @ParameterizedTest
  @FieldSource("MODELS")
  void everyScaleEqualsTheGoldenTrace(String name) {
    GoldenModel model = new GoldenModel(name);
    TensorFile trace = model.file("trace");
    Map<String, Float> scales = model.graph().scales();
    trace
        .tensors()
        .forEach(
            (tensor, value) -> {
              String node = tensor.substring(tensor.indexOf('/') + 1);
              if (tensor.startsWith("scale/") && !node.endsWith("softmax")) {
                assertThat(scales.get(node)).as(node).isEqualTo(value.floats()[0]);
              }
            });
  }

  @ParameterizedTest
  @ValueSource(strings = {"micro_vit_outliers", "micro_swin_window7"})
  void aBatchAnswersAsItsPicturesAlone(String name) {
    GoldenModel model = new GoldenModel(name);
    IntegerGraph graph = model.graph();
    byte[] codes = model.evalCodes(graph);
    int pictures = model.pictures();
    try (ReferenceEngine engine = new ReferenceEngine(graph)) {
      int[] together = engine.logits(codes, pictures);
      int size = codes.length / pictures;
      int classes = together.length / pictures;
      for (int n = 0; n < pictures; n++) {
        byte[] one = Arrays.copyOfRange(codes, n * size, (n + 1) * size);
        assertThat(engine.logits(one, 1))
            .isEqualTo(Arrays.copyOfRange(together, n * classes, (n + 1) * classes));
      }
    }
  }

  @Test
  void refusesACodeCountThatIsNotThePictures() {
    IntegerGraph graph = new GoldenModel("micro_vit").graph();
    try (ReferenceEngine engine = new ReferenceEngine(graph)) {
      assertThatThrownBy(() -> engine.logits(new byte[5], 1))
          .isInstanceOf(InputException.class)
          .hasMessage("input: found 5 codes for 1 pictures, expected 3072 a picture");
    }
  }

  @Test
  void refusesToRunOnceClosed() {
    ReferenceEngine engine = new ReferenceEngine(new GoldenModel("micro_vit").graph());
    engine.close();
    assertThatThrownBy(() -> engine.logits(new byte[3072], 1))
        .isInstanceOf(IllegalStateException.class);
  }
}
