package org.ivit.core.pretrained;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.family.Architectures;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.tensor.TensorFile;
import org.junit.jupiter.api.Test;

class WeightAdaptationTest {
  private static final String VIT =
      "{\"kind\":\"vit\",\"image\":%d,\"patch\":4,\"dim\":6,\"depth\":1,\"heads\":2,\"classes\":%d}";
  private static final String SWIN =
      "{\"kind\":\"swin\",\"image\":32,\"patch\":4,\"window\":%d,\"dim\":6,\"depths\":[1],"
          + "\"heads\":[2],\"classes\":3}";

  private final List<String> said = new ArrayList<>();

  private static Architecture vit(int image, int classes) {
    return Architectures.parse(VIT.formatted(image, classes));
  }

  private static TensorFile weights(Architecture architecture) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    architecture
        .parameters()
        .forEach(
            (name, shape) -> {
              float[] values = new float[(int) Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
              for (int i = 0; i < values.length; i++) {
                values[i] = (i * 37 % 101) / 50f - 1;
              }
              tensors.put(name, Tensor.of(values, shape));
            });
    return new TensorFile(tensors, Map.of(), "w");
  }

  @Test
  void positionsFitAnotherPictureSize() {
    TensorFile small = weights(vit(16, 3));
    TensorFile fitted = new WeightAdaptation(vit(32, 3), said::add).positions(small);
    WeightCheck.check(fitted, vit(32, 3));
    assertThat(said)
        .containsExactly(
            "w: position embeddings of 17 tokens interpolated to 65, for pictures of 32");
    float[] from = small.get("pos_embed").floats();
    float[] to = fitted.get("pos_embed").floats();
    assertThat(Arrays.copyOf(to, 6)).containsExactly(Arrays.copyOf(from, 6));
    assertThat(Arrays.copyOfRange(to, 6, to.length))
        .containsExactly(
            GridResampling.BICUBIC_ANTIALIAS.resample(
                Arrays.copyOfRange(from, 6, from.length), 4, 4, 8, 8, 6));
  }

  @Test
  void tablesFitAnotherWindow() {
    Architecture eight = Architectures.parse(SWIN.formatted(8));
    TensorFile fitted =
        new WeightAdaptation(eight, said::add)
            .positions(weights(Architectures.parse(SWIN.formatted(4))));
    WeightCheck.check(fitted, eight);
    assertThat(said)
        .containsExactly("w: 1 tables of relative positions interpolated to another window");
  }

  @Test
  void whatFitsStaysAndNothingIsSaid() {
    TensorFile file = weights(vit(16, 3));
    WeightAdaptation adaptation = new WeightAdaptation(vit(16, 3), said::add);
    assertThat(adaptation.newHead(adaptation.positions(file), 1).tensors())
        .isEqualTo(file.tensors());
    assertThat(said).isEmpty();
  }

  @Test
  void aNewHeadIsRandomBySeedAndLeavesTheRest() {
    TensorFile file = weights(vit(16, 3));
    WeightAdaptation adaptation = new WeightAdaptation(vit(16, 5), said::add);
    TensorFile fitted = adaptation.newHead(file, 7);
    WeightCheck.check(fitted, vit(16, 5));
    assertThat(said).containsExactly("w: head.weight has 3 classes: replaced by a new head of 5");
    assertThat(fitted.get("head.weight")).isEqualTo(adaptation.newHead(file, 7).get("head.weight"));
    assertThat(fitted.get("head.weight"))
        .isNotEqualTo(adaptation.newHead(file, 8).get("head.weight"));
    assertThat(fitted.get("head.bias").floats()).containsOnly(0);
    assertThat(fitted.get("blocks.0.mlp.fc1.weight"))
        .isEqualTo(file.get("blocks.0.mlp.fc1.weight"));
  }

  @Test
  void otherDifferencesAreLeftToBeListed() {
    Architecture wider =
        Architectures.parse(VIT.formatted(32, 3).replace("\"dim\":6", "\"dim\":8"));
    TensorFile fitted = new WeightAdaptation(wider, said::add).positions(weights(vit(16, 3)));
    assertThat(said).isEmpty();
    assertThatThrownBy(() -> WeightCheck.check(fitted, wider))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("pos_embed");
  }
}
