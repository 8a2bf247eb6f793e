package org.ivit.train.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

class BlasCoreTest {
  private static final String VARIABLE = "OPENBLAS_CORETYPE";

  @Test
  void amdProcessorsWithAvx512MultiplyWithIt() throws IOException, InterruptedException {
    requireAvx512OfAmd();
    assertThat(coreOfAnotherProcess(null)).isEqualTo("Core: SkylakeX");
  }

  @Test
  void whatTheUserAsksForStays() throws IOException, InterruptedException {
    requireAvx512OfAmd();
    assertThat(coreOfAnotherProcess("HASWELL")).isEqualTo("Core: Haswell");
  }

  private static void requireAvx512OfAmd() throws IOException {
    Path file = Path.of("/proc/cpuinfo");
    String processor = Files.exists(file) ? Files.readString(file) : "";
    assumeTrue(
        processor.contains("AuthenticAMD") && NativeRows.chosen().equals("avx512"),
        "no AMD processor with AVX-512, or native kernels are off");
  }

  /** In a process of its own, since a library is loaded once. */
  private static String coreOfAnotherProcess(String asked)
      throws IOException, InterruptedException {
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            System.getProperty("java.class.path"),
            Core.class.getName());
    Map<String, String> environment = builder.environment();
    environment.remove(VARIABLE);
    if (asked != null) {
      environment.put(VARIABLE, asked);
    }
    environment.put("OPENBLAS_VERBOSE", "2");
    Process process = builder.redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(said).isZero();
    return said.lines().filter(line -> line.startsWith("Core: ")).findFirst().orElse(said);
  }

  /** Loads OpenBLAS, which says what it takes. */
  static final class Core {
    private Core() {}

    public static void main(String[] arguments) {
      new OpenBlasGemm();
    }
  }
}
