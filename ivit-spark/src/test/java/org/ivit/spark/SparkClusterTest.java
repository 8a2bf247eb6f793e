package org.ivit.spark;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.ivit.spark.Tiny.run;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.ivit.core.InputException;
import org.ivit.core.cuda.Gpu;
import org.ivit.export.cluster.Cluster;
import org.ivit.export.cluster.Clusters;
import org.ivit.spark.Tiny.Outcome;
import org.ivit.train.loading.Loading;
import org.ivit.train.loop.Trainer;
import org.ivit.train.monitor.TrainingMonitor;
import org.ivit.train.recipe.Recipe;
import org.ivit.train.run.RunDirectory;
import org.ivit.train.run.TrainingCheckpoint;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Evaluation and training on Spark's local clusters: executors are processes of their own. */
class SparkClusterTest {
  private static final String TWO = "local-cluster[2,1,1024]";

  @TempDir static Path folder;

  @BeforeAll
  static void home() throws IOException {
    Tiny.assumeJava();
    // Spark refuses to start executors where it sees no installation.
    Files.createDirectories(Path.of(System.getenv("SPARK_HOME"), "jars"));
  }

  private static Path draw(String name, int each) throws IOException {
    return Tiny.draw(folder.resolve(name), each);
  }

  private static Recipe recipe(String output, Path pictures) {
    return Tiny.recipe(folder, output, pictures);
  }

  /** Rounding may turn a code here and there, so the distance counts and not each number. */
  private static void assertAlike(TrainingCheckpoint a, TrainingCheckpoint b) {
    assertThat(b.state().step()).isEqualTo(a.state().step());
    assertThat(b.state().finished()).isTrue();
    a.weights()
        .values()
        .forEach(
            (name, values) -> {
              double distance = 0;
              double length = 1e-12;
              float[] others = b.weights().get(name);
              for (int i = 0; i < values.length; i++) {
                distance += ((double) values[i] - others[i]) * ((double) values[i] - others[i]);
                length += (double) values[i] * values[i];
              }
              assertThat(Math.sqrt(distance / length)).as(name).isLessThan(0.02);
            });
  }

  private static double firstLoss(RunDirectory run) throws IOException {
    List<String> lines = Files.readAllLines(run.metrics());
    int column = List.of(lines.get(0).split(",", -1)).indexOf("loss");
    return Double.parseDouble(lines.get(1).split(",", -1)[column]);
  }

  /** Every executor that this process has started and that lives: it starts no other Java. */
  private static List<ProcessHandle> executors() {
    return ProcessHandle.current()
        .children()
        .filter(p -> p.isAlive() && p.info().command().orElse("").endsWith("java"))
        .toList();
  }

  @Test
  void evaluatesToTheLastBit() throws IOException {
    Path pictures = draw("evaluated", 5);
    Path run = Trainer.start(recipe("model", pictures), TrainingMonitor.SILENT).path();
    Path model = folder.resolve("model.ivit.safetensors");
    run("export", "--run", run, "--output", model).done();
    Path here = folder.resolve("here.safetensors");
    Path there = folder.resolve("there.safetensors");
    Object[] args = {
      "evaluate",
      "--model",
      model,
      "--data",
      pictures,
      "--batch",
      3,
      "--against",
      Tiny.weights(folder),
      "--architecture",
      Tiny.ARCHITECTURE,
      "--logits"
    };
    Outcome one = run(Stream.concat(Stream.of(args), Stream.of(here)).toArray()).done();
    Outcome two =
        run(Stream.concat(Stream.of(args), Stream.of(there, "--spark", TWO)).toArray()).done();
    assertThat(there).hasSameBinaryContentAs(here);
    assertThat(two.out().lines().filter(line -> !line.startsWith("time")))
        .containsExactlyElementsOf(
            one.out().lines().filter(line -> !line.startsWith("time")).toList());
    Files.write(pictures.resolve("c/3.png"), new byte[] {1, 2, 3});
    run("evaluate", "--model", model, "--data", pictures, "--spark", TWO).refused("c/3.png");
  }

  /** Kills an executor between two steps, and another one while a step goes on. */
  private static final class Killer implements TrainingMonitor {
    private int killed;
    private CompletableFuture<Void> late;

    @Override
    public void step(
        int step, int total, int epoch, double loss, double picturesPerSecond, Loading loading) {
      if (step == 4) {
        kill();
      } else if (step == 8) {
        late =
            CompletableFuture.runAsync(
                this::kill, CompletableFuture.delayedExecutor(30, MILLISECONDS));
      }
    }

    private void kill() {
      List<ProcessHandle> executors = executors();
      if (!executors.isEmpty()) {
        executors.get(0).destroyForcibly();
        executors.get(0).onExit().join();
        killed++;
      }
    }
  }

  @Test
  void learnsWhatOneMachineLearnsWithExecutorsKilled() throws IOException {
    Path pictures = draw("learned", 5);
    RunDirectory whole = Trainer.start(recipe("one machine", pictures), TrainingMonitor.SILENT);
    Killer killer = new Killer();
    RunDirectory run;
    try (Cluster cluster = Clusters.spark(TWO)) {
      assertThat(executors()).hasSize(2);
      run = Trainer.start(recipe("two executors", pictures), cluster, Gpu.FIRST, killer);
    }
    killer.late.join();
    assertThat(killer.killed).isEqualTo(2);
    assertThat(firstLoss(run)).isCloseTo(firstLoss(whole), within(1e-6));
    assertAlike(whole.latest(), run.latest());
  }

  /** Stops an executor's process for good, without ending it. */
  private static final class Stopper implements TrainingMonitor {
    @Override
    public void step(
        int step, int total, int epoch, double loss, double picturesPerSecond, Loading loading) {
      if (step == 5) {
        try {
          String pid = Long.toString(executors().get(0).pid());
          assertThat(new ProcessBuilder("kill", "-STOP", pid).start().waitFor()).isZero();
        } catch (IOException | InterruptedException e) {
          throw new AssertionError(e);
        }
      }
    }
  }

  @Test
  void goesOnWithoutAStraggler() throws IOException {
    assumeTrue(Files.exists(Path.of("/bin/kill")), "skipped: no kill command to stop a process");
    Path pictures = draw("stopped", 5);
    RunDirectory whole = Trainer.start(recipe("nobody stopped", pictures), TrainingMonitor.SILENT);
    System.setProperty(StepTimeout.PROPERTY, "10");
    try (Cluster cluster = Clusters.spark(TWO)) {
      RunDirectory run =
          Trainer.start(recipe("one stopped", pictures), cluster, Gpu.FIRST, new Stopper());
      assertAlike(whole.latest(), run.latest());
      assertThat(cluster.description()).endsWith("executors: 1");
    } finally {
      System.clearProperty(StepTimeout.PROPERTY);
    }
  }

  @Test
  void aStepMayTakeTenTimesTheMedian() {
    StepTimeout timeout = new StepTimeout(null);
    assertThat(timeout.millis()).isEqualTo(Long.MAX_VALUE);
    timeout.add(90_000);
    assertThat(timeout.millis()).isEqualTo(900_000);
    for (int i = 0; i < 9; i++) {
      timeout.add(i % 2 == 0 ? 10_000 : 30_000);
    }
    assertThat(timeout.millis()).isEqualTo(100_000);
    for (int i = 0; i < 9; i++) {
      timeout.add(10);
    }
    assertThat(timeout.millis()).isEqualTo(60_000);
    StepTimeout fixed = new StepTimeout("2.5");
    assertThat(fixed.millis()).isEqualTo(Long.MAX_VALUE);
    fixed.add(10);
    assertThat(fixed.millis()).isEqualTo(2500);
    for (String bad : List.of("0", "-1", "soon", "NaN", "1e7")) {
      assertThatThrownBy(() -> new StepTimeout(bad))
          .isInstanceOf(InputException.class)
          .hasMessageContaining("found '" + bad + "', expected seconds above 0");
    }
  }

  /** Damages a picture after a step. */
  private record Eraser(Path picture) implements TrainingMonitor {
    @Override
    public void step(
        int step, int total, int epoch, double loss, double picturesPerSecond, Loading loading) {
      if (step == 1) {
        try {
          Files.write(picture, new byte[] {1, 2, 3});
        } catch (IOException e) {
          throw new AssertionError(e);
        }
      }
    }
  }

  @Test
  void saysWhichPictureStoppedTheTraining() throws IOException {
    Path pictures = draw("damaged", 5);
    Recipe recipe = recipe("interrupted", pictures);
    try (Cluster cluster = Clusters.spark("local-cluster[1,1,1024]")) {
      Eraser eraser = new Eraser(pictures.resolve("e/2.png"));
      assertThatThrownBy(() -> Trainer.start(recipe, cluster, Gpu.FIRST, eraser))
          .isInstanceOf(InputException.class)
          .hasMessageContaining("e/2.png");
    }
    assertThat(RunDirectory.open(recipe.output()).latest().state().step()).isPositive();
  }

  @Test
  void refusesInOneLine() throws IOException {
    Path pictures = draw("refused", 1);
    Path model = Tiny.weights(folder);
    for (String master : List.of("nonsense", "local-cluster[1]")) {
      run(
              "evaluate",
              "--model",
              model,
              "--architecture",
              Tiny.ARCHITECTURE,
              "--data",
              pictures,
              "--spark",
              master)
          .refused("--spark: ", master);
    }
  }

  @Test
  void saysWhichJavaSparkNeeds() {
    for (int feature : new int[] {11, 25}) {
      assertThatThrownBy(() -> JavaVersion.require("executor on node7", feature))
          .isInstanceOf(InputException.class)
          .hasMessage(
              "executor on node7: found Java "
                  + feature
                  + ", expected 17 or 21, which Spark 4.0 runs on");
    }
    JavaVersion.require("driver", 17);
    JavaVersion.require("driver", 21);
  }
}
