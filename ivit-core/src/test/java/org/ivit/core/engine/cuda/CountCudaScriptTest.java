package org.ivit.core.engine.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code scripts/count-cuda} on what cuobjdump 13.1 printed of two small kernels: {@code products}
 * has a loop around one product of tensor cores, with a copy through shared memory, and a branch
 * around what follows; {@code calls} has a loop that calls a function, and an atomic maximum.
 */
class CountCudaScriptTest {
  private static final Path SCRIPT =
      Path.of(System.getProperty("ivit.root", ".."), "scripts", "count-cuda");

  @TempDir Path folder;
  private Path cuobjdump;
  private String output;

  @BeforeEach
  void recorded() throws Exception {
    assumeFalse(System.getProperty("os.name").startsWith("Windows"), "skipped: needs a shell");
    Path listing = folder.resolve("listing");
    try (var in = getClass().getResourceAsStream("/cuda/listing_sm_90a.txt")) {
      Files.copy(in, listing);
    }
    cuobjdump = folder.resolve("cuobjdump");
    Files.writeString(cuobjdump, "#!/bin/sh\ncat '%s'\n".formatted(listing));
    assertThat(cuobjdump.toFile().setExecutable(true)).isTrue();
    Files.createFile(folder.resolve("kernels_sm_80.cubin"));
  }

  private int run(String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of("sh", SCRIPT.toString()));
    command.addAll(Arrays.asList(arguments));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("CUOBJDUMP", cuobjdump.toString());
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    Path log = folder.resolve("log");
    int code = builder.redirectErrorStream(true).redirectOutput(log.toFile()).start().waitFor();
    output = Files.readString(log);
    return code;
  }

  /** The columns of the line that begins with a name. */
  private List<String> line(String name) {
    return output
        .lines()
        .map(line -> Arrays.asList(line.strip().split(" +")))
        .filter(columns -> columns.get(0).equals(name))
        .findFirst()
        .orElseThrow(() -> new AssertionError(output));
  }

  private static List<String> columns(String text) {
    return Stream.of(text.split(" ")).toList();
  }

  @Test
  void countsEachKernel() throws Exception {
    assertThat(run("engine", folder.toString(), "80")).as(output).isZero();
    assertThat(line("products"))
        .isEqualTo(
            columns("products 26 57 18 11 1 1 1/0/0/0/1 0/0/0/0/1 0/0/2/0/0 0/0/1/0/0 0 0 0 0 0"));
    assertThat(line("calls"))
        .isEqualTo(
            columns("calls 11 34 - - 0 - 1/0/0/0/0 0/0/0/0/0 0/0/0/0/0 0/0/0/0/0 0 0 1 2 0"));
    assertThat(output.lines()).hasSize(3);
  }

  @Test
  void findsLoops() throws Exception {
    assertThat(run("--kernel", "products", "training", folder.toString(), "80")).isZero();
    assertThat(line("1c0-2d0")).isEqualTo(columns("1c0-2d0 18 18 1 3 2 0"));
    assertThat(output.lines()).hasSize(2);
  }

  /** 29 instructions to the loop's end and 11 behind it, of which a branch may jump over 8. */
  @Test
  void followsTripsAndBranches() throws Exception {
    String[] target = {"engine", folder.toString(), "80"};
    assertThat(run(way("products", "1c0=12", "2e0", target))).as(output).isZero();
    assertThat(line("walked").get(1)).isEqualTo(Integer.toString(28 + 12 * 18 + 11 - 8));
    assertThat(line("tensor").get(1)).isEqualTo("12");
    assertThat(line("shared").get(1)).isEqualTo("36");
    assertThat(line("global").get(1)).isEqualTo("25");
  }

  @Test
  void followsCalls() throws Exception {
    assertThat(run(way("calls", "a0=5", "", "engine", folder.toString(), "80"))).isZero();
    assertThat(line("walked").get(1)).isEqualTo(Integer.toString(10 + 5 * (11 + 5) + 6 + 5 + 2));
  }

  private static String[] way(String kernel, String trips, String taken, String... target) {
    List<String> arguments = new ArrayList<>(List.of("--kernel", kernel, "--trips", trips));
    if (!taken.isEmpty()) {
      arguments.addAll(List.of("--taken", taken));
    }
    arguments.addAll(Arrays.asList(target));
    return arguments.toArray(String[]::new);
  }

  @Test
  void refusesALoopThatIsNotThere() throws Exception {
    assertThat(run(way("calls", "a4=5", "", "engine", folder.toString(), "80"))).isEqualTo(1);
    assertThat(output).contains("count-cuda: calls: no loop begins at a4");
  }

  @Test
  void saysThatCuobjdumpIsMissing() throws Exception {
    cuobjdump = folder.resolve("nowhere");
    assertThat(run("engine")).isEqualTo(2);
    assertThat(output).startsWith("count-cuda: no ").contains("CUOBJDUMP").hasLineCount(1);
  }

  @Test
  void saysThatCodeIsMissing() throws Exception {
    assertThat(run("engine", folder.toString(), "75")).isEqualTo(1);
    assertThat(output).contains("kernels_sm_75.cubin").hasLineCount(1);
  }
}
