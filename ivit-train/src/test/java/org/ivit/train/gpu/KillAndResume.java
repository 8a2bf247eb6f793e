package org.ivit.train.gpu;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.ivit.train.device.product.ProductPrecision;

/** A process that is killed in the middle of a step, and another that goes on from its file. */
final class KillAndResume {
  private static final int STEPS = 8;
  private static final int KILLED_IN = 5;

  private final String name;
  private final ProductPrecision precision;
  private final Path folder;

  /**
   * @param name a case of {@link ResumableRun}
   * @param folder for files of its own
   */
  KillAndResume(String name, ProductPrecision precision, Path folder) {
    this.name = name;
    this.precision = precision;
    this.folder = folder;
  }

  /**
   * Runs the processes.
   *
   * @param row receives what was found
   * @return whether the run that was killed ends in the bits of one that was not
   * @throws IOException if a process fails
   */
  boolean sameBits(ObjectNode row) throws IOException {
    Path whole = folder.resolve("whole-" + precision + ".safetensors");
    Path killed = folder.resolve("killed-" + precision + ".safetensors");
    run(whole, STEPS);
    run(killed, KILLED_IN);
    int kept = StepState.read(killed).steps();
    run(killed, STEPS);
    int differences = StepState.read(whole).differences(StepState.read(killed));
    row.put("case", name.equals(ResumableRun.MICRO) ? name : "pictures")
        .put("precision", precision.name())
        .put("steps", STEPS)
        .put("killed_in_step", KILLED_IN)
        .put("resumed_after_step", kept)
        .put("differences", differences);
    return differences == 0 && kept > 0 && kept < KILLED_IN;
  }

  /** Runs a process, and kills it when it has begun the step after so many. */
  private void run(Path state, int steps) throws IOException {
    Process process = start(state);
    int taken = -1;
    try (BufferedReader out =
            new BufferedReader(
                new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        BufferedWriter in =
            new BufferedWriter(
                new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8))) {
      for (String line = out.readLine(); line != null; line = out.readLine()) {
        if (!line.matches("[0-9]+")) {
          continue;
        }
        taken = Integer.parseInt(line);
        in.write("go\n");
        in.flush();
        if (taken == steps) {
          process.destroyForcibly();
          break;
        }
      }
    } finally {
      process.destroyForcibly();
    }
    boolean whole = steps == STEPS;
    int code = await(process);
    boolean ended = whole ? code == 0 && taken == STEPS - 1 : code != 0 && taken == steps;
    if (!ended || !Files.exists(state)) {
      throw new IOException(
          "a run of %d steps ended with code %d after %d".formatted(steps, code, taken));
    }
  }

  private static int await(Process process) throws IOException {
    try {
      return process.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  private Process start(Path state) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--enable-native-access=ALL-UNNAMED");
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    System.getProperties()
        .forEach(
            (key, value) -> {
              if (key.toString().startsWith("ivit.")) {
                command.add("-D" + key + "=" + value);
              }
            });
    command.add(ResumableRun.class.getName());
    command.addAll(List.of(name, precision.name(), state.toString(), Integer.toString(STEPS)));
    return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
  }
}
