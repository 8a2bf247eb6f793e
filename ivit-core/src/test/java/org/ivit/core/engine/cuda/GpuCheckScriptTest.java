package org.ivit.core.engine.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How {@code scripts/gpu-check} ends, with a bundle whose Java only notes its arguments. */
class GpuCheckScriptTest {
  private static final Path SCRIPT =
      Path.of(System.getProperty("ivit.root", ".."), "scripts", "gpu-check");

  private static final String JAVA =
      """
      #!/bin/sh
      echo "$*" >>"$NOTES"
      case "$*" in
        *sanitized.json*) exit "${IN_SANITIZER:-0}" ;;
      esac
      exit "${IN_CHECK:-0}"
      """;

  private static final String SANITIZER =
      """
      #!/bin/sh
      while [ $# -gt 0 ]; do
        case $1 in
          --tool | --error-exitcode) shift 2 ;;
          *) break ;;
        esac
      done
      echo "$SAID"
      exec "$@"
      """;

  @TempDir Path folder;
  private String output;

  @BeforeEach
  void bundle() throws Exception {
    assumeTrue(
        System.getProperty("os.name").equals("Linux"), "skipped: bundles are for Linux with glibc");
    bundle("2.17");
  }

  private void bundle(String glibc) throws Exception {
    program(folder.resolve("runtime/bin/java"), JAVA);
    program(folder.resolve("bin/compute-sanitizer"), SANITIZER);
    Files.createDirectories(folder.resolve("jars"));
    Files.createDirectories(folder.resolve("models"));
    Files.writeString(folder.resolve("commit"), "none");
    Files.writeString(folder.resolve("glibc"), glibc + "\n");
    for (String[] part :
        new String[][] {
          {"runtime", "runtime"}, {"engine", "jars", "commit", "glibc"}, {"models", "models"}
        }) {
      List<String> command = new ArrayList<>(List.of("tar", "-czf", part[0] + ".tar.gz"));
      command.addAll(Arrays.asList(part).subList(1, part.length));
      assertThat(new ProcessBuilder(command).directory(folder.toFile()).start().waitFor()).isZero();
    }
  }

  private static void program(Path file, String text) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
    assertThat(file.toFile().setExecutable(true)).isTrue();
  }

  private int run(Map<String, String> environment, String... options) throws Exception {
    List<String> command = new ArrayList<>(List.of("sh", SCRIPT.toString(), folder.toString()));
    command.addAll(Arrays.asList(options));
    ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile());
    builder.environment().put("NOTES", folder.resolve("notes").toString());
    builder.environment().put("SAID", "========= ERROR SUMMARY");
    builder.environment().merge("PATH", folder.resolve("bin").toString(), (a, b) -> b + ":" + a);
    builder.environment().putAll(environment);
    Path log = folder.resolve("log");
    int code = builder.redirectErrorStream(true).redirectOutput(log.toFile()).start().waitFor();
    output = Files.readString(log);
    return code;
  }

  @Test
  void handsItsOptionsOn() throws Exception {
    assertThat(
            run(
                Map.of(),
                "--no-sanitizer",
                "--inference",
                "--models",
                "a,b",
                "--batches",
                "1,8",
                "--minutes",
                "5"))
        .as(output)
        .isZero();
    assertThat(Files.readAllLines(folder.resolve("notes")))
        .singleElement()
        .asString()
        .endsWith("gpu-check.json models=a,b batches=1,8 minutes=5");
  }

  /** What a check ended with, in the sanitizer and by itself, and what the script ends with. */
  @ParameterizedTest
  @CsvSource({"0, 0, 0", "9, 0, 1", "1, 0, 1", "134, 0, 1", "0, 1, 1", "0, 134, 1", "2, 2, 2"})
  void endsAsItsChecksDo(String inSanitizer, String inCheck, int expected) throws Exception {
    Map<String, String> codes = Map.of("IN_SANITIZER", inSanitizer, "IN_CHECK", inCheck);
    assertThat(run(codes, "--inference", "--quick")).as(output).isEqualTo(expected);
  }

  @Test
  void aSanitizerThatDoesNotKnowTheGpuIsNoFailure() throws Exception {
    Map<String, String> unknown =
        Map.of("IN_SANITIZER", "1", "SAID", "========= Error: Device not supported");
    assertThat(run(unknown, "--inference", "--quick")).as(output).isZero();
  }

  @Test
  void namesTheGlibcThatTheBundleNeeds() throws Exception {
    bundle("99.1");
    assertThat(run(Map.of(), "--inference", "--quick")).isEqualTo(2);
    assertThat(output).contains("the bundle's Java needs 99.1");
    assertThat(folder.resolve("notes")).doesNotExist();
  }
}
