package org.ivit.train.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.IntStream;
import org.ivit.core.InputException;
import org.ivit.core.dataset.ClassList;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.testing.Shared;
import org.ivit.train.step.MicroBatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Weights and pictures of a bundle, written and read. */
class PictureCaseTest {
  private static final String NAME = "vit_tiny_patch16_224.safetensors";

  @TempDir Path folder;

  @Test
  void keepsWeightsAndPictures() throws IOException {
    Path weights = Shared.path("weights/" + NAME);
    ClassList classes = ClassList.read(Shared.path("data/imagenet_classes.txt"));
    assertThat(PictureCase.in(folder)).isFalse();
    TrainingPictures.write(weights, Shared.path("data/imagenet-val"), classes, 10, folder);
    assertThat(PictureCase.in(folder)).isTrue();
    TrainingCase found = PictureCase.of(folder);
    FloatWeights expected = FloatWeights.of(Shared.tensors("weights/" + NAME).tensors());
    expected
        .values()
        .forEach(
            (name, values) -> assertThat(found.weights().get(name)).as(name).isEqualTo(values));
    assertThat(found.steps()).hasSize(2);
    assertThat(found.steps().get(0).pictures()).isEqualTo(8);
    assertThat(found.steps().get(1).pictures()).isEqualTo(2);
    MicroBatch batch = found.steps().get(1).batches().get(0);
    for (float pixel : batch.images().pixels()) {
      assertThat(pixel).isBetween(-1f, 1f);
    }
    double sum = IntStream.range(0, 1000).mapToDouble(c -> batch.targets()[c]).sum();
    assertThat(sum).isCloseTo(1, within(1e-4));
    assertThat(IntStream.range(0, 1000).filter(c -> batch.targets()[c] > 0.5)).hasSize(1);
  }

  @Test
  void saysHowManyPicturesThereAre() {
    Path weights = Shared.path("weights/" + NAME);
    assertThatThrownBy(
            () ->
                TrainingPictures.write(
                    weights, folder, ClassList.of(java.util.List.of()), 2, folder))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("found 0 pictures of known classes, expected 2");
  }
}
