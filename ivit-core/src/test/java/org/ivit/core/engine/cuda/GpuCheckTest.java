package org.ivit.core.engine.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.jna.Library;
import com.sun.jna.Native;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.ivit.core.InputException;
import org.ivit.core.cuda.Emulator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What {@code scripts/gpu-check} runs of the engine, on a driver of emulated kernels. */
class GpuCheckTest {
  private static final String DRIVER = "ivit.cuda.driver";
  private static final int OUT_OF_MEMORY = 2;
  private static final int LAUNCH_FAILED = 719;

  /** How a test sets up the driver. */
  interface Fake extends Library {
    void fake_driver_set(int version, int devices, int capability, String failing);

    void fake_driver_error(int code);
  }

  @TempDir Path folder;
  private Fake fake;

  @BeforeEach
  void load() {
    Emulator.load();
    String library = System.getProperty("ivit.cuda.emulator");
    fake = Native.load(library, Fake.class);
    fake.fake_driver_set(13000, 1, 90, "");
    System.setProperty(DRIVER, library);
  }

  @AfterEach
  void restore() {
    System.clearProperty(DRIVER);
    if (fake != null) {
      fake.fake_driver_error(OUT_OF_MEMORY);
      fake.fake_driver_set(13000, 1, 90, "");
    }
  }

  private JsonNode file() throws IOException {
    return new ObjectMapper().readTree(folder.resolve("gpu.json").toFile());
  }

  private int run(String... options) throws IOException {
    String[] arguments = new String[options.length + 2];
    arguments[0] = folder.toString();
    arguments[1] = folder.resolve("gpu.json").toString();
    System.arraycopy(options, 0, arguments, 2, options.length);
    return GpuCheck.run(arguments);
  }

  /** Whatever the GPU's number of multiprocessors, tiles of all sizes are compared. */
  @Test
  void runsEveryTile() throws IOException {
    assertThat(run("micro")).isZero();
    JsonNode file = file();
    assertThat(file.get("equal").booleanValue()).isTrue();
    assertThat(file.get("kernels_checked").toString())
        .contains(
            "\"linear_codes_large\"",
            "\"linear_codes_medium\"",
            "\"linear_codes_small\"",
            "\"linear_codes_indices_small\"",
            "\"linear_codes_sliced\"",
            "\"linear_codes_warpgroup\"",
            "\"linear_stream_large\"",
            "\"linear_stream_sliced\"",
            "\"linear_stream_warpgroup\"",
            "\"linear_codes_cluster\"",
            "\"linear_stream_cluster\"");
    assertThat(file.get("checks").findValuesAsText("name"))
        .anyMatch(name -> name.contains(", by dependent launches"))
        .anyMatch(name -> name.contains(", by warpgroups, by dependent launches"))
        .anyMatch(name -> !name.contains(", by "));
  }

  @Test
  void tellsAFaultOfAKernelFromAMissingGpu() throws IOException {
    fake.fake_driver_error(LAUNCH_FAILED);
    fake.fake_driver_set(13000, 1, 90, "cuGraphLaunch");
    assertThat(run("micro")).isEqualTo(1);
    assertThat(file().get("equal").booleanValue()).isFalse();
    assertThat(file().findValue("error").textValue()).contains("(719)", "a fault on the GPU");
    fake.fake_driver_set(13000, 0, 90, "");
    assertThat(run("micro")).isEqualTo(2);
  }

  /** Where a model does not fit, the check has failed; a GPU is there. */
  @Test
  void tellsTooLittleMemoryFromAMissingGpu() throws IOException {
    fake.fake_driver_set(13000, 1, 90, "cuMemAlloc_v2");
    assertThat(run("micro")).isEqualTo(1);
    assertThat(file().findValue("error").textValue()).contains("out of memory");
  }

  @Test
  void readsItsOptions() {
    CheckOptions options =
        CheckOptions.of(List.of("quick", "models=a,b", "batches=1,128", "minutes=5"));
    assertThat(options)
        .isEqualTo(
            new CheckOptions(CheckOptions.Mode.QUICK, List.of("a", "b"), List.of(1, 128), 5));
    assertThat(options.wants("b")).isTrue();
    assertThat(options.wants("c")).isFalse();
    assertThat(CheckOptions.of(List.of()).wants("c")).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"fast", "minutes", "minutes=0", "batches=1,x", "batches="})
  void refusesOtherOptions(String option) {
    assertThatThrownBy(() -> CheckOptions.of(List.of(option)))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("expected");
  }
}
