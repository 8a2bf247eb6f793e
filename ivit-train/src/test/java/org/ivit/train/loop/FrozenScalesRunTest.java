package org.ivit.train.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.family.Vit;
import org.ivit.core.tensor.DType;
import org.ivit.core.tensor.Safetensors;
import org.ivit.core.tensor.Tensor;
import org.ivit.train.monitor.TrainingMonitor;
import org.ivit.train.recipe.Recipe;
import org.ivit.train.run.RunDirectory;
import org.ivit.train.run.TrainingCheckpoint;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A run that starts from weights with frozen scales. */
class FrozenScalesRunTest {
  private static final Architecture VIT =
      new Vit("small", 16, 8, 12, 1, 2, 48, 10, 1e-6).architecture();
  private static final String FROZEN = "blocks.0.mlp.fc1.weight";
  private static final String SCALE = FROZEN + "_scale";
  private static final float LARGEST = 0.25f;

  private static Path weights(Path folder, float scale) {
    SplittableRandom random = new SplittableRandom(3);
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    VIT.parameters()
        .forEach(
            (name, shape) -> {
              float[] values = new float[(int) Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
              for (int i = 0; i < values.length; i++) {
                values[i] = LARGEST * (float) random.nextDouble(-1, 1);
              }
              tensors.put(name, Tensor.of(values, shape));
            });
    float[] scales = new float[VIT.blocks().get(0).hidden()];
    Arrays.fill(scales, scale);
    tensors.put(SCALE, Tensor.of(scales, scales.length));
    Path file = folder.resolve("weights.safetensors");
    Safetensors.write(file, tensors, Map.of());
    return file;
  }

  private static RunDirectory run(Path folder, Path weights, String quantization, int epochs) {
    String yaml =
        """
        architecture: {kind: vit, image: 16, patch: 8, dim: 12, depth: 1, heads: 2, classes: 10}
        weights: %s
        quantization: {equalize: %s, calibration: {pictures: 8, batchSize: 8}}
        data: {train: {procedural: {pictures: 16, size: 16, seed: 1}}}
        augmentation: {randomResizedCrop: none, flip: 0, colorJitter: 0, randomErasing: 0}
        optimizer: {learningRate: 0.0005, batchSize: 8}
        schedule: {epochs: %d}
        ema: {decay: 0.5}
        threads: 2
        """
            .formatted(weights, quantization, epochs);
    return Trainer.start(
        Recipe.parse("test.yaml", yaml, List.of()).withOutput(folder.resolve("run" + epochs)),
        TrainingMonitor.SILENT);
  }

  @Test
  void keepsThemFromTheWeightsToTheCheckpoints(@TempDir Path folder) {
    Path weights = weights(folder, LARGEST / 100);
    float[] scales = Safetensors.read(weights).get(SCALE).floats();
    RunDirectory run = run(folder, weights, "false", 1);
    for (String file : List.of("weights", "ema")) {
      Tensor written =
          Safetensors.read(run.path().resolve("checkpoints/2/" + file + ".safetensors")).get(SCALE);
      assertThat(written.dtype()).isEqualTo(DType.F32);
      assertThat(written.shape()).containsExactly(VIT.blocks().get(0).hidden());
      assertThat(written.floats()).isEqualTo(scales);
    }
    TrainingCheckpoint checkpoint = RunDirectory.open(run.path()).latest();
    assertThat(checkpoint.weights().frozenScale(FROZEN)).isEqualTo(scales);
    assertThat(checkpoint.average().frozenScale(FROZEN)).isEqualTo(scales);
    assertThat(checkpoint.weights().scales()).hasSize(1);
    assertThat(checkpoint.weights().get(FROZEN))
        .isNotEqualTo(Safetensors.read(weights).get(FROZEN).floats());
  }

  @Test
  void refusesScalesThatDoNotHoldTheWeights(@TempDir Path folder) {
    Path small = weights(folder, LARGEST / 200);
    assertThatThrownBy(() -> run(folder, small, "false", 0))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(small + ": " + FROZEN + ": element ")
        .hasMessageContaining("expected -128 to 127");
    assertThat(folder.resolve("run0")).doesNotExist();
  }

  @Test
  void calibrationLeavesWeightsWithFrozenScalesAsTheyAre(@TempDir Path folder) {
    Path weights = weights(folder, LARGEST / 100);
    TrainingCheckpoint checkpoint = run(folder, weights, "true", 0).latest();
    Map<String, Tensor> given = Safetensors.read(weights).tensors();
    assertThat(checkpoint.weights().scales()).containsOnlyKeys(FROZEN);
    checkpoint
        .weights()
        .values()
        .forEach((name, values) -> assertThat(values).isEqualTo(given.get(name).floats()));
  }
}
