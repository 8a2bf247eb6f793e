package org.ivit.core.engine.jni;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The kernels for ARM64 on an emulated processor of each level, where the tools are installed. */
class Arm64KernelsTest {
  private static final int NO_TOOLS = 2;

  @Test
  void everyLevelEqualsPortableC() throws IOException, InterruptedException {
    Path script = Path.of("..", "scripts", "check-arm64").toAbsolutePath().normalize();
    assumeTrue(Files.isExecutable(script), "not in a source tree");
    Process process =
        new ProcessBuilder("sh", script.toString(), "--engine").redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    int ended = process.waitFor();
    assumeTrue(ended != NO_TOOLS, said);
    assertThat(ended).as(said).isZero();
    for (String kernels : new String[] {"neon", "dotprod", "i8mm"}) {
      assertThat(said).contains(kernels + ": equal");
    }
  }
}
