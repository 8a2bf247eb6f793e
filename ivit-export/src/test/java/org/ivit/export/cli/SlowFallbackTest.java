package org.ivit.export.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.ivit.core.engine.jni.NativeLibrary;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where native kernels cannot be had, a command says so in one line, and which run instead. */
class SlowFallbackTest {
  @TempDir Path folder;

  @Test
  void isWarnedOfOnceAndExplained() throws Exception {
    assumeTrue(NativeLibrary.isExpected(), "no faster kernels for this platform");
    assumeTrue(NativeLibrary.notLoaded() == null, "built without native kernels");
    Path file = Files.writeString(folder.resolve("file"), "neither cache nor temporary folder");
    String output = bench(List.of("-Divit.cache=" + file, "-Djava.io.tmpdir=" + file));
    assertThat(warnings(output))
        .hasSize(1)
        .first()
        .asString()
        .contains("portable Java instead of native kernels; native kernels do not load")
        .endsWith("; -Divit.cache=DIR names another folder for its copy");
    assertThat(output)
        .containsPattern(
            "kernels    portable Java \\(the fastest that runs here; native kernels do");
  }

  @Test
  void saysHowToBuildWhatTheJarHasNot() throws Exception {
    String output = bench(List.of("-Dos.name=FreeBSD", "-Dos.arch=amd64"));
    assertThat(warnings(output))
        .hasSize(1)
        .first()
        .asString()
        .endsWith(
            "slower than it could be: portable Java instead of native kernels; no native kernels"
                + " for freebsd-x86_64 in this jar; a build on this machine with a C compiler has"
                + " them (mvn package)");
  }

  @Test
  void onlySaysWhatRunsWhereNoFasterKernelsExist() throws Exception {
    String output = bench(List.of("-Dos.name=Linux", "-Dos.arch=riscv64"));
    assertThat(warnings(output)).isEmpty();
    assertThat(output.lines().filter(line -> line.contains("portable Java runs: ")))
        .hasSize(1)
        .first()
        .asString()
        .endsWith("portable Java runs: no native kernels for linux-riscv64 in this jar");
  }

  private static List<String> warnings(String output) {
    return output.lines().filter(line -> line.contains("slower than it could be")).toList();
  }

  private String bench(List<String> options) throws Exception {
    Path checkpoint = MicroModel.checkpoint(folder.resolve("micro.ivit.safetensors"));
    ChildJvm.Outcome outcome =
        ChildJvm.run(options, "bench", "--model", checkpoint, "--batch", "1", "--seconds", "0.02");
    assertThat(outcome.code()).as(outcome.output()).isZero();
    return outcome.output();
  }
}
