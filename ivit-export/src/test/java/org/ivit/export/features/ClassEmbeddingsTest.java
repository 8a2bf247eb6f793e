package org.ivit.export.features;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.ivit.core.InputException;
import org.ivit.core.tensor.Safetensors;
import org.ivit.core.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClassEmbeddingsTest {
  @TempDir Path folder;

  private Path write(Map<String, Tensor> tensors, Map<String, String> metadata) {
    Path file = folder.resolve("classes.safetensors");
    Safetensors.write(file, tensors, metadata);
    return file;
  }

  private static Tensor rows() {
    return Tensor.of(new float[] {1, 0, 3, 3, 0, 0.5f}, 3, 2);
  }

  private static Ranking answer(ClassEmbeddings embeddings, int... codes) {
    return embeddings.of(new Cosines(Features.ofCodes(codes, 0.25f, 2)), 0);
  }

  @Test
  void theMostAlikeIsTheAnswer() {
    ClassEmbeddings read =
        ClassEmbeddings.read(
            write(Map.of("embeddings", rows()), Map.of("classes", "[\"a\",\"b\",\"c\"]")));
    assertThat(read.size()).isEqualTo(3);
    assertThat(read.width()).isEqualTo(2);
    assertThat(read.classes()).containsExactly("a", "b", "c");
    assertThat(answer(read, 5, 1).classes()).containsExactly(0, 1, 2);
    assertThat(answer(read, 1, 5).classes()).containsExactly(2, 1, 0);
    assertThat(answer(read, -7, -7).classes()).containsExactly(0, 2, 1);
    assertThat(answer(read, 0, 0).classes()).containsExactly(0, 1, 2);
  }

  @Test
  void scoresOfALinearClassifierAreInnerProducts() {
    ClassEmbeddings dot =
        ClassEmbeddings.read(write(Map.of("embeddings", rows()), Map.of("similarity", "dot")));
    assertThat(dot.classes()).isEmpty();
    assertThat(answer(dot, 1, 5).classes()).containsExactly(1, 2, 0);
    Map<String, Tensor> biased = new LinkedHashMap<>();
    biased.put("embeddings", rows());
    biased.put("bias", Tensor.of(new float[] {4.5f, 0, 0}, 3));
    // 4 * 0.25 + 4.5 and (12 + 6) * 0.25 = 4.5, then 0.25
    assertThat(
            answer(ClassEmbeddings.read(write(biased, Map.of("similarity", "dot"))), 4, 2)
                .classes())
        .containsExactly(0, 1, 2);
    // 0.8 + 4.5 first; without it 0.95, 0.89, 0.45
    assertThat(answer(ClassEmbeddings.read(write(biased, Map.of())), 4, 2).classes())
        .containsExactly(0, 1, 2);
    biased.put("bias", Tensor.of(new float[] {-1, 0, 0}, 3));
    assertThat(answer(ClassEmbeddings.read(write(biased, Map.of())), 4, 2).classes())
        .containsExactly(1, 2, 0);
  }

  private void refused(Map<String, Tensor> tensors, Map<String, String> metadata, String text) {
    Path file = write(tensors, metadata);
    assertThatThrownBy(() -> ClassEmbeddings.read(file))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith(file + ": ")
        .hasMessageContaining(text);
  }

  @Test
  void saysWhatIsWrong() {
    refused(Map.of("other", rows()), Map.of(), "no tensor embeddings");
    refused(
        Map.of("embeddings", Tensor.of(new float[6], 6)),
        Map.of(),
        "expected F32 [classes, width]");
    refused(
        Map.of("embeddings", Tensor.of(new int[6], 3, 2)),
        Map.of(),
        "found I32 [3, 2], expected F32");
    refused(
        Map.of("embeddings", Tensor.of(new float[] {1, Float.NaN}, 1, 2)),
        Map.of(),
        "element 1 is not finite");
    refused(
        Map.of("embeddings", rows(), "bias", Tensor.of(new float[2], 2)),
        Map.of(),
        "tensor bias: found F32 [2], expected F32 [3]");
    refused(
        Map.of("embeddings", rows()), Map.of("classes", "[\"a\"]"), "found 1 names, expected 3");
    refused(Map.of("embeddings", rows()), Map.of("classes", "a, b"), "found no JSON list");
    refused(Map.of("embeddings", rows()), Map.of("similarity", "L2"), "expected cosine or dot");
  }
}
