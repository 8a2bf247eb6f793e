package org.ivit.export.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.ivit.core.engine.jni.NativeLibrary;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where native kernels cannot be loaded, a command says so in one line, and which run instead. */
class SlowFallbackTest {
  @TempDir Path folder;

  @Test
  void isWarnedOfOnceAndExplained() throws Exception {
    assumeTrue(NativeLibrary.isExpected(), "no faster kernels for this platform");
    assumeTrue(NativeLibrary.notLoaded() == null, "built without native kernels");
    Path checkpoint = MicroModel.checkpoint(folder.resolve("micro.ivit.safetensors"));
    Path file = Files.writeString(folder.resolve("file"), "neither cache nor temporary folder");
    ChildJvm.Outcome outcome =
        ChildJvm.run(
            List.of("-Divit.cache=" + file, "-Djava.io.tmpdir=" + file),
            "bench",
            "--model",
            checkpoint,
            "--batch",
            "1",
            "--seconds",
            "0.02");
    assertThat(outcome.code()).as(outcome.output()).isZero();
    assertThat(outcome.output().lines().filter(line -> line.contains("slower than it could be")))
        .hasSize(1)
        .first()
        .asString()
        .contains("portable Java instead of native kernels; native kernels do not load");
    assertThat(outcome.output())
        .containsPattern(
            "kernels    portable Java \\(the fastest that runs here; native kernels do");
  }
}
