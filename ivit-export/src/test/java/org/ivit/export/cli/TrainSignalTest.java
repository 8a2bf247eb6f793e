package org.ivit.export.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.ivit.core.io.Digests;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Training that is asked to end by Ctrl-C or {@code kill}, in a process of its own. */
@DisabledOnOs(OS.WINDOWS)
class TrainSignalTest {
  /** Steps enough that the signal comes before their end, and no checkpoint after the first. */
  private static final String RECIPE =
      """
      architecture: {kind: vit, image: 16, patch: 8, dim: 8, depth: 1, heads: 2, classes: 10}
      precision: float
      data: {train: {procedural: {pictures: 600, size: 16, seed: 1}}}
      augmentation: {randomResizedCrop: none, flip: 0, colorJitter: 0, randomErasing: 0}
      optimizer: {learningRate: 0.001, batchSize: 2}
      schedule: {epochs: 1}
      threads: 1
      checkpoints: {every: 0}
      """;

  @TempDir private Path folder;

  private static void here(Object... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int code =
        CommandLineInterface.run(
            new PrintWriter(out),
            new PrintWriter(err),
            Stream.of(args).map(Object::toString).toArray(String[]::new));
    assertThat(code).as(err.toString()).isZero();
  }

  private static void await(Process process, Path output, BooleanSupplier condition)
      throws IOException, InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(120);
    while (!condition.getAsBoolean()) {
      assertThat(process.isAlive()).as(Files.readString(output)).isTrue();
      assertThat(System.nanoTime()).isLessThan(deadline);
      Thread.sleep(5);
    }
  }

  private static void signal(String name, Process process) throws Exception {
    String[] command = {"sh", "-c", "kill -" + name + " " + process.pid()};
    assertThat(new ProcessBuilder(command).start().waitFor()).isZero();
  }

  /** Whether this process, and so its children, were started to ignore Ctrl-C. */
  private static boolean ignoresInterrupts() throws IOException {
    Path status = Path.of("/proc/self/status");
    return Files.exists(status)
        && Files.readAllLines(status).stream()
            .filter(line -> line.startsWith("SigIgn:"))
            .anyMatch(
                line ->
                    (Long.parseUnsignedLong(line.substring("SigIgn:".length()).strip(), 16) & 2)
                        != 0);
  }

  private static long size(Path file) {
    try {
      return Files.exists(file) ? Files.size(file) : 0;
    } catch (IOException e) {
      return 0;
    }
  }

  private static Map<String, String> lastCheckpoint(Path run) throws IOException {
    Map<String, String> digests = new TreeMap<>();
    Path last = run.resolve("checkpoints").resolve(Files.readString(run.resolve("latest")).strip());
    try (Stream<Path> files = Files.list(last)) {
      for (Path file : files.toList()) {
        digests.put(file.getFileName().toString(), Digests.file(file));
      }
    }
    return digests;
  }

  @ParameterizedTest
  @CsvSource({"INT,130", "TERM,143"})
  void aSignalKeepsTheStepAndSaysHowToGoOn(String signal, int code) throws Exception {
    assumeFalse(signal.equals("INT") && ignoresInterrupts(), "SIGINT is ignored here");
    Path recipe = Files.writeString(folder.resolve("recipe.yaml"), RECIPE);
    Path run = folder.resolve("run");
    Path output = folder.resolve("output");
    Process child = ChildJvm.startInto(output, "train", "--config", recipe, "--output", run);
    try {
      await(child, output, () -> size(run.resolve("metrics.csv")) > 400);
      signal(signal, child);
      assertThat(child.waitFor(60, TimeUnit.SECONDS)).isTrue();
    } finally {
      child.destroyForcibly();
    }
    List<String> lines = Files.readAllLines(output);
    assertThat(child.exitValue()).as(lines.toString()).isEqualTo(code);
    String step = Files.readString(run.resolve("latest")).strip();
    assertThat(Integer.parseInt(step)).isBetween(1, 299);
    assertThat(lines)
        .contains("ivit: stopping after the step that is under way; once more stops at once")
        .endsWith(
            "ivit: stopped after step "
                + step
                + " of 300; go on with: scripts/ivit train --resume "
                + run);

    here("train", "--resume", run);
    Path whole = folder.resolve("whole");
    here("train", "--config", recipe, "--output", whole);
    assertThat(lastCheckpoint(run)).isEqualTo(lastCheckpoint(whole)).isNotEmpty();
  }

  @Test
  @Timeout(120)
  void aSecondSignalEndsItAtOnce() throws Exception {
    // A recipe that never comes to its end, and so to no step.
    Path pipe = folder.resolve("pipe.yaml");
    assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
    Path output = folder.resolve("output");
    Process child = ChildJvm.startInto(output, "train", "--config", pipe);
    try (OutputStream opened = Files.newOutputStream(pipe)) {
      opened.write('#');
      signal("TERM", child);
      await(child, output, () -> size(output) > 0);
      assertThat(Files.readString(output)).contains("once more stops at once");
      signal("TERM", child);
      assertThat(child.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(child.exitValue()).isEqualTo(143);
    } finally {
      child.destroyForcibly();
    }
  }
}
