package org.ivit.train.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.ivit.core.InputException;
import org.ivit.core.io.Digests;
import org.ivit.train.loading.Loading;
import org.ivit.train.monitor.RunStoppedException;
import org.ivit.train.monitor.TrainingMonitor;
import org.ivit.train.recipe.Recipe;
import org.ivit.train.run.RunDirectory;
import org.ivit.train.run.RunLock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Runs that a monitor stops, and runs whose folder is taken. */
class StoppedRunTest {
  private static final String FLOAT =
      """
      architecture: {kind: vit, image: 16, patch: 8, dim: 8, depth: 1, heads: 2, classes: 10}
      precision: float
      data:
        train: {procedural: {pictures: 25, size: 16, seed: 1}}
        validation: {procedural: {pictures: 40, size: 16, seed: 2}}
      augmentation: {randomResizedCrop: none, flip: 0, colorJitter: 0, randomErasing: 0}
      optimizer: {learningRate: 0.001, batchSize: 8}
      schedule: {epochs: 2}
      ema: {decay: 0.9}
      threads: 1
      checkpoints: {every: 2, keep: 3}
      """;

  private static final String QUANTIZED =
      FLOAT
          .replace("precision: float", "quantization: {calibration: {pictures: 8, batchSize: 4}}")
          .replace("ema: {decay: 0.9}", "");

  @TempDir private Path folder;

  private Recipe recipe(String text, String output) {
    return Recipe.parse("test.yaml", text, List.of()).withOutput(folder.resolve(output));
  }

  private Recipe quantized(String output) {
    RunDirectory floats =
        Trainer.start(
            recipe(FLOAT.replace("epochs: 2", "epochs: 1"), "float"), TrainingMonitor.SILENT);
    String weights =
        "weights: "
            + floats.path().resolve("checkpoints/3/weights.safetensors")
            + "\ndistillation: {weight: 0.5, temperature: 2}\n";
    return recipe(weights + QUANTIZED, output);
  }

  /** What of a run counts: the last checkpoint's files, and the metrics without speeds. */
  private static List<String> outcome(RunDirectory run) throws IOException {
    List<String> found = new ArrayList<>();
    Path last =
        run.path()
            .resolve("checkpoints")
            .resolve(Files.readString(run.path().resolve("latest")).strip());
    try (Stream<Path> files = Files.list(last)) {
      for (Path file : files.sorted().toList()) {
        found.add(file.getFileName() + " " + Digests.file(file));
      }
    }
    for (String line : Files.readAllLines(run.metrics())) {
      String[] fields = line.split(",", -1);
      fields[5] = "";
      fields[8] = "";
      found.add(String.join(",", fields));
    }
    return found;
  }

  /** Asks to stop at a step or at a validation. */
  private static final class Stopping implements TrainingMonitor {
    private final int atStep;
    private final int atValidation;
    private int validated;
    private boolean asked;

    Stopping(int atStep, int atValidation) {
      this.atStep = atStep;
      this.atValidation = atValidation;
    }

    @Override
    public void step(int step, int total, int epoch, double loss, double speed, Loading loading) {
      asked |= step == atStep;
    }

    @Override
    public void validating(int done, int total) {
      validated += done == total ? 1 : 0;
      asked |= validated + 1 == atValidation && done < total;
    }

    @Override
    public boolean stopping() {
      return asked;
    }
  }

  @ParameterizedTest
  @CsvSource({"1,0,1", "2,0,2", "3,0,3", "4,0,4", "6,0,6", "0,1,3", "0,2,6"})
  void aStoppedRunGoesOnToTheBitsOfOneThatWasNot(int step, int validation, int kept)
      throws IOException {
    stopAndResume(
        recipe(FLOAT, "whole"), recipe(FLOAT, "stopped"), new Stopping(step, validation), kept);
  }

  @ParameterizedTest
  @CsvSource({"1,0,1", "0,1,3"})
  void andOneInIntegers(int step, int validation, int kept) throws IOException {
    Recipe whole = quantized("whole");
    stopAndResume(
        whole, whole.withOutput(folder.resolve("stopped")), new Stopping(step, validation), kept);
  }

  private void stopAndResume(Recipe whole, Recipe stopped, Stopping monitor, int kept)
      throws IOException {
    RunDirectory uninterrupted = Trainer.start(whole, TrainingMonitor.SILENT);
    assertThatThrownBy(() -> Trainer.start(stopped, monitor))
        .isInstanceOf(RunStoppedException.class)
        .hasMessage(
            "stopped after step %d of 6; go on with: scripts/ivit train --resume %s",
            kept, stopped.output());
    RunDirectory run = RunDirectory.open(stopped.output());
    assertThat(run.state().step()).isEqualTo(kept);
    assertThat(run.state().finished()).isFalse();
    assertThat(stopped.output().resolve("lock")).doesNotExist();
    assertThat(outcome(Trainer.resume(run, TrainingMonitor.SILENT)))
        .isEqualTo(outcome(uninterrupted));
  }

  @Test
  void stoppedInCalibrationItLeavesNothing() {
    Recipe recipe = quantized("run");
    List<String> stages = new ArrayList<>();
    TrainingMonitor monitor =
        new TrainingMonitor() {
          @Override
          public void calibrated(String stage, int done, int total) {
            stages.add(stage);
          }

          @Override
          public boolean stopping() {
            return stages.size() == 3;
          }
        };
    assertThatThrownBy(() -> Trainer.start(recipe, monitor))
        .isInstanceOf(RunStoppedException.class)
        .hasMessage("stopped before the first checkpoint: nothing to go on with, start again");
    assertThat(stages).hasSize(3);
    assertThat(recipe.output()).doesNotExist();
  }

  @Test
  void calibrationCountsEveryPartOnce() {
    List<String> parts = new ArrayList<>();
    TrainingMonitor monitor =
        new TrainingMonitor() {
          @Override
          public void calibrated(String stage, int done, int total) {
            parts.add(done + " of " + total);
          }
        };
    Trainer.start(quantized("run"), monitor);
    assertThat(parts)
        .isEqualTo(
            IntStream.rangeClosed(1, parts.size())
                .mapToObj(i -> i + " of " + parts.size())
                .toList());
  }

  @Test
  void aRunWithoutACheckpointSaysThatThereIsNoneToGoOnWith() throws IOException {
    RunDirectory run = Trainer.start(recipe(FLOAT, "run"), TrainingMonitor.SILENT);
    Files.delete(run.path().resolve("latest"));
    assertThatThrownBy(() -> RunDirectory.open(run.path()))
        .isInstanceOf(InputException.class)
        .hasMessage(
            run.path()
                + ": the run was stopped before its first checkpoint, so there is nothing to go on"
                + " with: start it again with --config");
  }

  @Test
  void aPathThatAShellWouldSplitIsQuoted() {
    assertThat(RunStoppedException.after(1, 2, Path.of("runs/it's é")))
        .hasMessageEndingWith("--resume 'runs/it'\\''s é'");
  }

  /** A process that holds a run's folder until it is killed. */
  static final class Holder {
    private Holder() {}

    /** Locks {@code args[0]} and says so. */
    public static void main(String[] args) throws InterruptedException {
      RunLock lock = RunLock.take(Path.of(args[0]));
      System.out.println("locked");
      Thread.sleep(120_000);
      lock.close();
    }
  }

  @Test
  void aFolderThatAnotherProcessTrainsInIsRefusedUntilThatDies() throws Exception {
    Recipe recipe = recipe(FLOAT, "run");
    Process holder =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path")),
                Holder.class.getName(),
                recipe.output().toString())
            .redirectErrorStream(true)
            .start();
    try {
      assertThat(holder.inputReader().readLine()).isEqualTo("locked");
      for (int i = 0; i < 2; i++) {
        InputException refused =
            catchThrowableOfType(
                InputException.class, () -> Trainer.start(recipe, TrainingMonitor.SILENT));
        assertThat(refused)
            .hasMessage(
                "%s: process %d trains in this folder, expected no other: wait for its end, or end"
                    + " it",
                recipe.output(), holder.pid());
      }
      assertThat(recipe.output()).isDirectoryContaining("glob:**/lock");
    } finally {
      holder.destroyForcibly().waitFor();
    }
    assertThat(recipe.output().resolve("lock")).as("it died with it").exists();
    Trainer.start(recipe, TrainingMonitor.SILENT);
    assertThat(recipe.output().resolve("lock")).doesNotExist();
  }

  @Test
  void twoRunsOfOneProcessDoNotShareAFolderEither() {
    Path run = folder.resolve("runs/run");
    RunLock lock = RunLock.take(run);
    assertThatThrownBy(() -> RunLock.take(folder.resolve("runs/../runs/run")))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("process " + ProcessHandle.current().pid());
    lock.close();
    assertThat(folder.resolve("runs")).as("made for the lock").doesNotExist();
    RunLock.take(run).close();
  }
}
