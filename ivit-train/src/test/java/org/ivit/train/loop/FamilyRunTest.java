package org.ivit.train.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.ivit.train.loading.Loading;
import org.ivit.train.monitor.RunStoppedException;
import org.ivit.train.monitor.TrainingMonitor;
import org.ivit.train.recipe.Recipe;
import org.ivit.train.run.RunDirectory;
import org.ivit.train.run.TrainingCheckpoint;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs of a network with the parts of today's families: norm, mean, norm and classifiers. */
class FamilyRunTest {
  private static final String RECIPE =
      """
      architecture: {kind: vit, image: 16, patch: 8, dim: 12, depth: 2, heads: 2, classes: 10,
          registers: 2, class_token: false, positions: patches, pre_norm: true, pool: avg,
          fc_norm: true, activation: gelu_tanh, epsilon: 0.05}
      quantization: {calibration: {pictures: 16, batchSize: 8}, freezeEpoch: 1, normEpsilon: %s}
      data:
        train: {procedural: {pictures: 24, size: 16, seed: 1}}
      augmentation: {randomResizedCrop: none, flip: 0, colorJitter: 0, randomErasing: 0}
      optimizer: {learningRate: 0.002, batchSize: 8}
      schedule: {epochs: 2}
      stochasticDepth: 0.1
      threads: 2
      checkpoints: {every: 2}
      """;

  private static final class StoppingAtStep2 implements TrainingMonitor {
    private boolean asked;

    @Override
    public void step(int step, int total, int epoch, double loss, double speed, Loading loading) {
      asked |= step == 2;
    }

    @Override
    public boolean stopping() {
      return asked;
    }
  }

  @TempDir private Path folder;

  private Recipe recipe(boolean epsilon, String output) {
    return Recipe.parse("test.yaml", RECIPE.formatted(epsilon), List.of())
        .withOutput(folder.resolve(output));
  }

  private RunDirectory run(boolean epsilon, String output) {
    return Trainer.start(recipe(epsilon, output), TrainingMonitor.SILENT);
  }

  private RunDirectory stopped(boolean epsilon, String output) {
    assertThatThrownBy(() -> Trainer.start(recipe(epsilon, output), new StoppingAtStep2()))
        .isInstanceOf(RunStoppedException.class);
    return RunDirectory.open(folder.resolve(output));
  }

  private static void assertSame(RunDirectory a, RunDirectory b) {
    TrainingCheckpoint x = a.latest();
    TrainingCheckpoint y = b.latest();
    x.weights()
        .values()
        .forEach((name, values) -> assertThat(y.weights().get(name)).as(name).isEqualTo(values));
    assertThat(y.optimizer()).isEqualTo(x.optimizer());
    assertThat(y.ranges()).isEqualTo(x.ranges());
    assertThat(y.scheme()).isEqualTo(x.scheme());
    assertThat(y.state()).isEqualTo(x.state());
  }

  @Test
  void aStoppedRunGoesOnToTheBitsOfOneThatWasNot() {
    RunDirectory whole = run(true, "whole");
    assertThat(whole.latest().scheme().normEpsilon()).isTrue();
    assertThat(whole.latest().ranges()).containsKeys("norm_pre", "pool", "fc_norm");
    RunDirectory stopped = stopped(true, "stopped");
    assertThat(stopped.latest().state().step()).isEqualTo(2);
    Trainer.resume(stopped, TrainingMonitor.SILENT);
    assertSame(whole, stopped);
  }

  /** Recipes that were written down before there was the key do not have it. */
  @Test
  void aRunWithoutEpsilonKeepsItsIntegers() throws IOException {
    RunDirectory whole = run(false, "whole");
    Path config = stopped(false, "old").path().resolve("config.yaml");
    List<String> lines = Files.readAllLines(config);
    assertThat(lines).anyMatch(line -> line.strip().equals("normEpsilon: false"));
    lines.removeIf(line -> line.contains("normEpsilon"));
    Files.write(config, lines);
    RunDirectory old = RunDirectory.open(folder.resolve("old"));
    assertThat(old.recipe().quantization().normEpsilon()).isTrue();
    Trainer.resume(old, TrainingMonitor.SILENT);
    assertSame(whole, old);
    assertThat(run(true, "new").latest().weights().get("blocks.0.attn.qkv.weight"))
        .isNotEqualTo(whole.latest().weights().get("blocks.0.attn.qkv.weight"));
  }
}
