package org.ivit.export.cli;

import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The command line in a Java process of its own. */
final class ChildJvm {
  private static final int SECONDS = 120;

  /** What scripts/ivit gives every JVM, so that newer ones do not warn of native code. */
  private static final List<String> LAUNCHER =
      List.of(
          "-XX:+IgnoreUnrecognizedVMOptions",
          "--enable-native-access=ALL-UNNAMED",
          "--sun-misc-unsafe-memory-access=allow");

  /** How a process ended, and what it wrote to both streams together. */
  record Outcome(int code, String output) {}

  private ChildJvm() {}

  /** Runs {@code ivit ARGS} with more options for the JVM. */
  static Outcome run(List<String> options, Object... args) throws Exception {
    return start(Map.of(), command(options, args));
  }

  /** Runs {@code ivit ARGS} with more variables in its environment. */
  static Outcome run(Map<String, String> environment, Object... args) throws Exception {
    return start(environment, command(List.of(), args));
  }

  /**
   * Runs {@code ivit ARGS} where no file can grow beyond so many blocks of 512 or 1024 bytes: the
   * nearest to a full disk that needs no privileges. Needs a POSIX shell.
   */
  static Outcome runWithFilesUpTo(long blocks, Object... args) throws Exception {
    List<String> command = new ArrayList<>();
    command.addAll(List.of("sh", "-c", "ulimit -f " + blocks + " && exec \"$@\"", "sh"));
    command.addAll(command(List.of("-XX:-UsePerfData"), args));
    return start(Map.of(), command);
  }

  /** Runs {@code ivit ARGS} as {@code sh -c SHELL} says, where {@code "$@"} is the command. */
  static Outcome runInShell(String shell, Object... args) throws Exception {
    List<String> command = new ArrayList<>(List.of("sh", "-c", shell, "sh"));
    command.addAll(command(List.of(), args));
    return start(Map.of(), command);
  }

  /** Starts {@code ivit ARGS}, with both streams into a file. */
  static Process startInto(Path output, Object... args) throws IOException {
    return new ProcessBuilder(command(List.of(), args))
        .redirectErrorStream(true)
        .redirectOutput(output.toFile())
        .start();
  }

  private static List<String> command(List<String> options, Object... args) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(LAUNCHER);
    command.addAll(options);
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(Main.class.getName());
    Arrays.stream(args).map(Object::toString).forEach(command::add);
    return command;
  }

  private static Outcome start(Map<String, String> environment, List<String> command)
      throws IOException, InterruptedException {
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().putAll(environment);
    Process process = builder.start();
    try {
      String output = new String(process.getInputStream().readAllBytes(), Charset.defaultCharset());
      if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) {
        throw new AssertionError("the process goes on after its output's end:\n" + output);
      }
      return new Outcome(process.exitValue(), output);
    } finally {
      process.destroyForcibly();
    }
  }
}
