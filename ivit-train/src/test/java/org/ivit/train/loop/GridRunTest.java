package org.ivit.train.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.family.Vit;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.graph.build.GraphBuilder;
import org.ivit.core.io.Digests;
import org.ivit.core.tensor.Safetensors;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.tensor.TensorFile;
import org.ivit.core.weight.WeightCoding;
import org.ivit.train.loading.Loading;
import org.ivit.train.monitor.RunStoppedException;
import org.ivit.train.monitor.TrainingMonitor;
import org.ivit.train.parameter.GridForm;
import org.ivit.train.parameter.GridPoints;
import org.ivit.train.parameter.GridWeights;
import org.ivit.train.recipe.Recipe;
import org.ivit.train.run.RunDirectory;
import org.ivit.train.run.TrainingCheckpoint;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Runs that start from weights of fewer than 8 bits. */
class GridRunTest {
  private static final Architecture VIT =
      new Vit("small", 16, 8, 12, 1, 2, 48, 10, 1e-6).architecture();
  private static final String GRID = "blocks.0.mlp.fc1.weight_grid";

  @TempDir private Path folder;

  private static FloatWeights weights(WeightCoding coding) {
    SplittableRandom random = new SplittableRandom(3);
    Map<String, float[]> values = new LinkedHashMap<>();
    VIT.parameters()
        .forEach(
            (name, shape) -> {
              float[] value = new float[(int) Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
              for (int i = 0; i < value.length; i++) {
                value[i] = 0.25f * (float) random.nextDouble(-1, 1);
              }
              values.put(name, value);
            });
    return GridWeights.of(new FloatWeights(values, Map.of()), VIT, coding, 4);
  }

  private Path write(FloatWeights weights, Map<String, GridForm> forms) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    FloatWeights all = GridPoints.beside(weights);
    VIT.parameters().forEach((name, shape) -> tensors.put(name, Tensor.of(all.get(name), shape)));
    weights
        .scales()
        .forEach(
            (name, scale) -> {
              String grid = FloatWeights.gridName(name);
              float[] points = all.get(grid);
              tensors.put(grid, Tensor.of(points, scale.length, points.length / scale.length));
            });
    Path file = folder.resolve("weights.safetensors");
    Safetensors.write(file, tensors, Map.of(GridPoints.METADATA, GridPoints.text(forms)));
    return file;
  }

  private Path write(FloatWeights weights) {
    return write(weights, GridPoints.forms(weights.grids(), true));
  }

  private Recipe recipe(Path weights, String output, String more) {
    String yaml =
        """
        architecture: {kind: vit, image: 16, patch: 8, dim: 12, depth: 1, heads: 2, classes: 10}
        weights: %s
        quantization: {calibration: {pictures: 8, batchSize: 8}}
        data: {train: {procedural: {pictures: 16, size: 16, seed: 1}}}
        augmentation: {randomResizedCrop: none, flip: 0, colorJitter: 0, randomErasing: 0}
        distillation: {weight: 0.5, temperature: 2}
        optimizer: {learningRate: 0.005, batchSize: 8}
        ema: {decay: 0.5}
        threads: 2
        %s
        """
            .formatted(weights, more);
    return Recipe.parse("test.yaml", yaml, List.of()).withOutput(folder.resolve(output));
  }

  private static void assertFrozen(RunDirectory run, FloatWeights weights) {
    TrainingCheckpoint checkpoint = run.latest();
    GraphBuilder.build(VIT, weights, checkpoint.scheme(), checkpoint.ranges())
        .linears()
        .forEach(linear -> assertThat(linear.codes().bits()).isEqualTo(4));
  }

  @ParameterizedTest
  @EnumSource
  void gridsAreTrainedSavedAndTakenUpAgain(WeightCoding coding) throws IOException {
    FloatWeights start = weights(coding);
    Path file = write(start);
    RunDirectory whole =
        Trainer.start(recipe(file, "whole", "schedule: {epochs: 3}"), TrainingMonitor.SILENT);
    TrainingCheckpoint last = RunDirectory.open(whole.path()).latest();
    for (FloatWeights weights : List.of(last.weights(), last.average())) {
      assertThat(weights.grids()).containsOnlyKeys(start.grids().keySet());
      assertThat(weights.values().get(GRID)).isNotEqualTo(GridPoints.beside(start).get(GRID));
      assertFrozen(whole, weights);
    }
    assertThat(last.average().values().get(GRID)).isNotEqualTo(last.weights().values().get(GRID));
    Recipe stopped = recipe(file, "stopped", "schedule: {epochs: 3}");
    assertThatThrownBy(() -> Trainer.start(stopped, new Stopping()))
        .isInstanceOf(RunStoppedException.class);
    Trainer.resume(RunDirectory.open(stopped.output()), TrainingMonitor.SILENT);
    for (String name : List.of("weights", "ema", "optimizer")) {
      String path = "checkpoints/6/" + name + ".safetensors";
      assertThat(Digests.file(stopped.output().resolve(path)))
          .isEqualTo(Digests.file(whole.path().resolve(path)));
    }
  }

  private static final class Stopping implements TrainingMonitor {
    private boolean asked;

    @Override
    public void step(int step, int total, int epoch, double loss, double speed, Loading loading) {
      asked |= step == 3;
    }

    @Override
    public boolean stopping() {
      return asked;
    }
  }

  @Test
  void aRunIsTheStartOfAnother() {
    Recipe first = recipe(write(weights(WeightCoding.GROUP)), "first", "schedule: {epochs: 1}");
    RunDirectory run = Trainer.start(first, TrainingMonitor.SILENT);
    FloatWeights trained = run.latest().average();
    RunDirectory second =
        Trainer.start(
            recipe(run.path(), "second", "schedule: {epochs: 0}"), TrainingMonitor.SILENT);
    FloatWeights again = second.latest().weights();
    assertThat(again.values().keySet()).isEqualTo(trained.values().keySet());
    again.values().forEach((name, value) -> assertThat(value).isEqualTo(trained.get(name)));
    again.scales().forEach((name, scale) -> assertThat(scale).isEqualTo(trained.frozenScale(name)));
  }

  /** Calibration makes the grids, training moves them or leaves them. */
  @ParameterizedTest
  @EnumSource
  void calibrationComesFirst(WeightCoding coding) {
    Path file = write(new FloatWeights(weights(coding).values(), Map.of()));
    FloatWeights started = five(file, "start", 0, coding, true);
    FloatWeights learned = five(file, "learned", 1, coding, true);
    FloatWeights fixed = five(file, "fixed", 1, coding, false);
    assertThat(started.grids()).hasSize(4);
    started
        .grids()
        .forEach(
            (name, grid) -> {
              assertThat(grid.describe()).isEqualTo("5 bits, " + coding.key());
              float[] points = GridPoints.of(started, name);
              assertThat(GridPoints.of(fixed, name)).isEqualTo(points);
              assertThat(GridPoints.of(learned, name)).isNotEqualTo(points);
            });
  }

  private FloatWeights five(
      Path file, String output, int epochs, WeightCoding coding, boolean learn) {
    Recipe recipe = recipe(file, output, "schedule: {epochs: " + epochs + "}");
    String weights = "quantization.weights={bits: 5, codes: %s, learn: %s}";
    return Trainer.start(
            Recipe.parse(
                    "test.yaml",
                    recipe.toYaml(),
                    List.of(
                        "quantization.weightRounding=secondOrder",
                        weights.formatted(coding.key(), learn)))
                .withOutput(recipe.output()),
            TrainingMonitor.SILENT)
        .latest()
        .weights();
  }

  private void assertRefused(Path file, String message) {
    Recipe recipe = recipe(file, "run", "schedule: {epochs: 1}");
    assertThatThrownBy(() -> Trainer.start(recipe, TrainingMonitor.SILENT))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(file.toString())
        .hasMessageContaining(message);
    assertThat(Files.exists(recipe.output())).isFalse();
  }

  @Test
  void refusesGridsThatDoNotFit() {
    FloatWeights weights = weights(WeightCoding.TABLE);
    assertRefused(
        write(weights, Map.of()),
        "patch_embed.proj.weight_grid: found no form of it in metadata grids, expected bits and"
            + " coding");
    assertRefused(
        write(weights, GridPoints.forms(weights(WeightCoding.UNIFORM).grids(), true)),
        "patch_embed.proj.weight_grid: found 192 numbers, expected 12");
    Path file = write(weights);
    TensorFile whole = Safetensors.readToHeap(file);
    Map<String, Tensor> tensors = new LinkedHashMap<>(whole.tensors());
    tensors.put(GRID, Tensor.of(new float[] {1, Float.NaN}, 1, 2));
    Safetensors.write(file, tensors, whole.metadata());
    assertRefused(file, GRID + " is F32 [1, 2], expected F32 [48, numbers of a channel's grid]");
    float[] points = whole.get(GRID).floats();
    points[7] = Float.POSITIVE_INFINITY;
    tensors.put(GRID, Tensor.of(points, 48, 16));
    Safetensors.write(file, tensors, whole.metadata());
    assertRefused(file, GRID + " is Infinity at element 7, expected finite numbers");
    Safetensors.write(file, whole.tensors(), Map.of(GridPoints.METADATA, "{\"a\": 1}"));
    assertRefused(file, "metadata grids: ");
  }
}
