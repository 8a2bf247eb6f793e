package org.ivit.spark;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.ivit.core.InputException;
import org.ivit.export.cli.CommandLineInterface;
import org.ivit.export.cluster.Cluster;
import org.ivit.export.cluster.Clusters;
import org.ivit.train.loop.RunDirectory;
import org.ivit.train.loop.Trainer;
import org.ivit.train.loop.TrainingCheckpoint;
import org.ivit.train.loop.TrainingMonitor;
import org.ivit.train.recipe.Recipe;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Evaluation and training on Spark's local clusters: executors are processes of their own. */
class SparkClusterTest {
  private static final String TWO = "local-cluster[2,1,1024]";
  private static final List<String> CLASSES =
      List.of("a", "b", "c", "d", "e", "f", "g", "h", "i", "j");

  @TempDir static Path folder;

  @BeforeAll
  static void home() throws IOException {
    assumeTrue(
        Set.of(17, 21).contains(Runtime.version().feature()),
        "skipped: Spark 4.0 runs on Java 17 and 21");
    // Spark refuses to start executors where it sees no installation.
    Files.createDirectories(Path.of(System.getenv("SPARK_HOME"), "jars"));
  }

  private static Path draw(String name, int each) throws IOException {
    Path root = folder.resolve(name);
    Random random = new Random(5);
    for (String label : CLASSES) {
      Path into = Files.createDirectories(root.resolve(label));
      for (int i = 0; i < each; i++) {
        BufferedImage image = new BufferedImage(20, 18, BufferedImage.TYPE_INT_RGB);
        for (int p = 0; p < 20 * 18; p++) {
          image.setRGB(p % 20, p / 20, random.nextInt(1 << 24));
        }
        ImageIO.write(image, "png", into.resolve(i + ".png").toFile());
      }
    }
    return root;
  }

  private static Path weights() {
    Path path = folder.resolve("float");
    if (!Files.exists(path)) {
      String yaml =
          """
          architecture: {kind: vit, image: 16, patch: 8, dim: 12, depth: 2, heads: 2, classes: 10}
          precision: float
          data: {train: {procedural: {pictures: 16, size: 16, seed: 1}}}
          augmentation: {randomResizedCrop: none, flip: 0, colorJitter: 0, randomErasing: 0}
          optimizer: {learningRate: 0.002, batchSize: 8}
          schedule: {epochs: 1}
          threads: 2
          """;
      Trainer.start(
          Recipe.parse("test.yaml", yaml, List.of()).withOutput(path), TrainingMonitor.SILENT);
    }
    return path.resolve("checkpoints/2/weights.safetensors");
  }

  private static Recipe recipe(String output, Path pictures) {
    String yaml =
        """
        architecture: {kind: vit, image: 16, patch: 8, dim: 12, depth: 2, heads: 2, classes: 10}
        weights: %s
        quantization: {calibration: {pictures: 16, batchSize: 8}}
        data: {train: %s}
        augmentation: {flip: 0.5, mixup: 0.8, cutmix: 1, randomErasing: 0.25}
        optimizer: {learningRate: 0.0005, batchSize: 6, accumulation: 2, clipNorm: 1}
        schedule: {epochs: 3}
        stochasticDepth: 0.2
        threads: 2
        checkpoints: {every: 1, keep: 9}
        """
            .formatted(weights(), pictures);
    return Recipe.parse("test.yaml", yaml, List.of()).withOutput(folder.resolve(output));
  }

  private record Outcome(int code, String out, String err) {}

  private static Outcome run(Object... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    String[] texts = Stream.of(args).map(String::valueOf).toArray(String[]::new);
    int code = CommandLineInterface.run(new PrintWriter(out), new PrintWriter(err), texts);
    return new Outcome(code, out.toString(), err.toString());
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
    assertThat(run("export", "--run", run, "--output", model).code).isZero();
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
      weights(),
      "--architecture",
      "{\"kind\":\"vit\",\"image\":16,\"patch\":8,\"dim\":12,\"depth\":2,\"heads\":2,\"classes\":10}",
      "--logits"
    };
    Outcome one = run(Stream.concat(Stream.of(args), Stream.of(here)).toArray());
    Outcome two = run(Stream.concat(Stream.of(args), Stream.of(there, "--spark", TWO)).toArray());
    assertThat(one.code).as(one.err).isZero();
    assertThat(two.code).as(two.err).isZero();
    assertThat(there).hasSameBinaryContentAs(here);
    assertThat(two.out.lines().filter(line -> !line.startsWith("time")))
        .containsExactlyElementsOf(
            one.out.lines().filter(line -> !line.startsWith("time")).toList());
    Files.write(pictures.resolve("c/3.png"), new byte[] {1, 2, 3});
    Outcome corrupt = run("evaluate", "--model", model, "--data", pictures, "--spark", TWO);
    assertThat(corrupt.code).as(corrupt.err).isEqualTo(2);
    assertThat(corrupt.err.lines()).hasSize(1);
    assertThat(corrupt.err).contains("c/3.png");
  }

  /** Kills an executor between two steps, and another one while a step goes on. */
  private static final class Killer implements TrainingMonitor {
    private int killed;
    private CompletableFuture<Void> late;

    @Override
    public void step(
        int step, int total, int epoch, double loss, double picturesPerSecond, boolean waited) {
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
      run = Trainer.start(recipe("two executors", pictures), cluster, killer);
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
        int step, int total, int epoch, double loss, double picturesPerSecond, boolean waited) {
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
    System.setProperty(StepTimeout.PROPERTY, "5");
    try (Cluster cluster = Clusters.spark(TWO)) {
      RunDirectory run = Trainer.start(recipe("one stopped", pictures), cluster, new Stopper());
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
        int step, int total, int epoch, double loss, double picturesPerSecond, boolean waited) {
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
      assertThatThrownBy(() -> Trainer.start(recipe, cluster, eraser))
          .isInstanceOf(InputException.class)
          .hasMessageContaining("e/2.png");
    }
    assertThat(RunDirectory.open(recipe.output()).latest().state().step()).isPositive();
  }

  @Test
  void refusesInOneLine() throws IOException {
    Path pictures = draw("refused", 1);
    Path model = weights();
    for (String master : List.of("nonsense", "local-cluster[1]")) {
      Outcome outcome =
          run(
              "evaluate",
              "--model",
              model,
              "--architecture",
              "{\"kind\":\"vit\",\"image\":16,\"patch\":8,\"dim\":12,\"depth\":2,\"heads\":2,"
                  + "\"classes\":10}",
              "--data",
              pictures,
              "--spark",
              master);
      assertThat(outcome.code).as(outcome.err).isEqualTo(2);
      assertThat(outcome.err.lines()).hasSize(1);
      assertThat(outcome.err).startsWith("ivit: --spark: ").contains(master);
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
