package org.ivit.export.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Commands whose output does not fit on the disk: one line, exit code 1, nothing half-written. */
@DisabledOnOs(OS.WINDOWS)
class FullDiskTest {
  private static final String REASON = "File too large";

  @TempDir static Path folder;

  private static Path recipe;
  private static Path run;
  private static Path checkpoint;
  private static Path pictures;

  @BeforeAll
  static void files() throws IOException {
    pictures = MicroModel.pictures(folder.resolve("pictures"), MicroModel.CLASSES, 4);
    recipe =
        Files.writeString(
            folder.resolve("recipe.yaml"),
            """
            architecture: %s
            weights: %s
            data: {train: %s, preprocessing: {resize: 16}}
            quantization: {calibration: {pictures: 8, batchSize: 4}}
            schedule: {epochs: 0}
            threads: 1
            """
                .formatted(
                    MicroModel.DESCRIPTION.replace(":", ": "),
                    MicroModel.weights(folder.resolve("micro.safetensors")),
                    pictures));
    run = folder.resolve("run");
    checkpoint = folder.resolve("whole.ivit.safetensors");
    here("train", "--config", recipe, "--output", run);
    here("export", "--run", run, "--output", checkpoint);
  }

  private static void here(Object... args) {
    StringWriter err = new StringWriter();
    int code =
        CommandLineInterface.run(
            new PrintWriter(new StringWriter()),
            new PrintWriter(err),
            Stream.of(args).map(Object::toString).toArray(String[]::new));
    assertThat(code).as(err.toString()).isZero();
  }

  /** Blocks that hold at most half of the file, whatever a block is to the shell. */
  private static long halfOf(Path file) throws IOException {
    long blocks = Files.size(file) / 2 / 1024;
    assertThat(blocks).isPositive();
    return blocks;
  }

  private static void fails(long blocks, Path target, Object... args) throws Exception {
    ChildJvm.Outcome outcome = ChildJvm.runWithFilesUpTo(blocks, args);
    assertThat(outcome.code()).as(outcome.output()).isEqualTo(1);
    List<String> complaints =
        outcome.output().lines().filter(line -> line.startsWith("ivit: ")).toList();
    assertThat(complaints).as(outcome.output()).hasSize(1);
    assertThat(complaints.get(0)).contains(target.toString(), "cannot be written", REASON);
    assertThat(outcome.output()).doesNotContain("\tat ");
  }

  private static List<String> names(Path parent) throws IOException {
    try (Stream<Path> files = Files.walk(parent)) {
      return files.map(path -> parent.relativize(path).toString()).sorted().toList();
    }
  }

  @Test
  void export() throws Exception {
    Path empty = Files.createDirectory(folder.resolve("export"));
    Path target = empty.resolve("m.ivit.safetensors");
    fails(halfOf(checkpoint), target, "export", "--run", run, "--output", target);
    assertThat(empty).isEmptyDirectory();

    Files.writeString(target, "old");
    fails(halfOf(checkpoint), target, "export", "--run", run, "--output", target);
    assertThat(target).hasContent("old");
    assertThat(names(empty)).containsExactly("", "m.ivit.safetensors");
  }

  @Test
  void train() throws Exception {
    Path latest =
        run.resolve("checkpoints").resolve(Files.readString(run.resolve("latest")).strip());
    Path largest = latest.resolve("weights.safetensors");
    Path target = folder.resolve("full");
    fails(halfOf(largest), target, "train", "--config", recipe, "--output", target);
    assertThat(names(target))
        .isSubsetOf("", "checkpoints", "config.yaml", "metrics.csv", "learning-curve.svg");
    assertThat(Files.readAllLines(target.resolve("config.yaml")))
        .hasSameSizeAs(Files.readAllLines(run.resolve("config.yaml")));
  }

  /** A device whose every write fails as that on a full disk does. */
  @Test
  @EnabledIf("hasFullDevice")
  void standardOutput() throws Exception {
    List<List<Object>> commands =
        List.of(
            List.of("predict", "--model", checkpoint, pictures.resolve("ant/0.png")),
            List.of("inspect", checkpoint),
            List.of("--help"));
    for (List<Object> command : commands) {
      ChildJvm.Outcome outcome = ChildJvm.runInShell("exec \"$@\" >/dev/full", command.toArray());
      assertThat(outcome)
          .isEqualTo(
              new ChildJvm.Outcome(
                  1,
                  "ivit: the standard output cannot be written: its disk is full, or its reader has"
                      + " gone\n"));
    }
  }

  static boolean hasFullDevice() {
    return Files.exists(Path.of("/dev/full"));
  }

  @Test
  void embed() throws Exception {
    Path features = MicroModel.featureCheckpoint(folder.resolve("features.ivit.safetensors"));
    for (String name : List.of("e.safetensors", "e.npy")) {
      Path empty = Files.createDirectory(folder.resolve("embed-" + name));
      Path target = empty.resolve(name);
      fails(0, target, "embed", "--model", features, "--data", pictures, "--output", target);
      assertThat(empty).isEmptyDirectory();
    }
  }

  @Test
  void evaluate() throws Exception {
    for (String option : List.of("--logits", "--json")) {
      Path empty = Files.createDirectory(folder.resolve("evaluate" + option));
      Path target = empty.resolve("result");
      fails(0, target, "evaluate", "--model", checkpoint, "--data", pictures, option, target);
      assertThat(empty).isEmptyDirectory();
    }
  }
}
