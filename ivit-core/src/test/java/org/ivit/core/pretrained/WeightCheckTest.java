package org.ivit.core.pretrained;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.family.Vit;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.tensor.TensorFile;
import org.junit.jupiter.api.Test;

class WeightCheckTest {
  private static final Architecture VIT =
      new Vit("small", 6, 3, 4, 3, 2, 5, 7, 1e-6).architecture();

  private static Map<String, Tensor> weights(Architecture architecture) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    architecture
        .parameters()
        .forEach(
            (name, shape) -> {
              int size = (int) Arrays.stream(shape).reduce(1, (a, b) -> a * b);
              tensors.put(name, Tensor.of(new float[size], shape));
            });
    return tensors;
  }

  private static String refusal(Map<String, Tensor> tensors) {
    InputException refused =
        catchThrowableOfType(
            InputException.class,
            () -> WeightCheck.check(new TensorFile(tensors, Map.of(), "w.safetensors"), VIT));
    assertThat(refused.getMessage()).startsWith("w.safetensors: ").doesNotContain("\n");
    return refused.getMessage();
  }

  @Test
  void acceptsExactlyTheParametersAndFrozenScales() {
    Map<String, Tensor> tensors = weights(VIT);
    WeightCheck.check(new TensorFile(tensors, Map.of()), VIT);
    tensors.put(
        "blocks.1.mlp.fc1.weight_scale", Tensor.of(new float[] {1, 2, 3, Float.MIN_VALUE, 5}, 5));
    WeightCheck.check(new TensorFile(tensors, Map.of()), VIT);
    tensors.put("blocks.1.mlp.fc1.weight_scale", Tensor.of(new float[4], 4));
    assertThat(refusal(tensors)).contains("blocks.1.mlp.fc1.weight_scale is [4], expected [5]");
    for (float bad : new float[] {0, -1, Float.NaN, Float.POSITIVE_INFINITY}) {
      tensors.put("blocks.1.mlp.fc1.weight_scale", Tensor.of(new float[] {1, 2, bad, 4, 5}, 5));
      assertThat(refusal(tensors))
          .contains(
              "blocks.1.mlp.fc1.weight_scale is "
                  + bad
                  + " at element 2, expected positive scales");
    }
    tensors.remove("blocks.1.mlp.fc1.weight_scale");
    tensors.put("norm.weight_scale", Tensor.of(new float[4], 4));
    assertThat(refusal(tensors)).contains("1 unexpected: norm.weight_scale");
  }

  @Test
  void acceptsDoubleWeightsButNoDoubleScales() {
    Map<String, Tensor> tensors = weights(VIT);
    tensors.put("norm.bias", Tensor.of(new double[4], 4));
    WeightCheck.check(new TensorFile(tensors, Map.of()), VIT);
    tensors.put("head.weight_scale", Tensor.of(new double[7], 7));
    assertThat(refusal(tensors)).contains("head.weight_scale is F64, expected F32");
  }

  @Test
  void listsAllProblemsAtOnce() {
    Map<String, Tensor> tensors = weights(VIT);
    tensors.remove("cls_token");
    tensors.put("dist_token", Tensor.of(new float[4], 1, 1, 4));
    tensors.put("norm.bias", Tensor.of(new float[3], 3));
    tensors.put("pos_embed", Tensor.of(new int[20], 1, 5, 4));
    assertThat(refusal(tensors))
        .isEqualTo(
            "w.safetensors: not the weights of small: 1 missing: cls_token; 1 unexpected:"
                + " dist_token; 2 wrong: pos_embed is I32, expected F32, F16, BF16 or F64,"
                + " norm.bias is [3], expected [4]");
  }

  @Test
  void namesAllOfLongLists() {
    Map<String, Tensor> tensors = weights(VIT);
    tensors.keySet().removeIf(name -> name.startsWith("blocks.1."));
    assertThat(refusal(tensors))
        .contains("12 missing: blocks.1.norm1.weight, ")
        .endsWith(", blocks.1.mlp.fc2.bias");
    assertThat(refusal(Map.of()))
        .contains("44 missing: cls_token, pos_embed, ", "blocks.{0-2}.norm1.weight, ")
        .endsWith(", head.weight, head.bias");
  }

  @Test
  void saysWhenTheClassCountAloneDiffers() {
    assertThat(refusal(weights(VIT.withClasses(1000))))
        .isEqualTo(
            "w.safetensors: class count that does not match the weights: small has 7 classes, but"
                + " head.weight is [1000, 4], expected [7, 4], head.bias is [1000], expected [7]");
    Map<String, Tensor> tensors = weights(VIT.withClasses(9));
    tensors.put("norm.bias", Tensor.of(new float[3], 3));
    assertThat(refusal(tensors)).doesNotContain("class count").contains("3 wrong");
    Map<String, Tensor> transposed = weights(VIT);
    transposed.put("head.weight", Tensor.of(new float[28], 4, 7));
    assertThat(refusal(transposed)).doesNotContain("class count").contains("1 wrong");
  }

  @Test
  void refusesAHeadOfIntegers() {
    Map<String, Tensor> tensors = weights(VIT);
    tensors.put("head.bias", Tensor.of(new int[7], 7));
    assertThatThrownBy(() -> WeightCheck.check(new TensorFile(tensors, Map.of()), VIT))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("head.bias is I32");
  }
}
