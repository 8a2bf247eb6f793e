package org.ivit.core.engine;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The processor that this JVM runs on. */
public final class Processor {
  private static final class Known {
    static final String NAME = read();
  }

  private Processor() {}

  /**
   * Returns the model's name where the system says it: on Linux in {@code /proc/cpuinfo}, on
   * Windows in {@code PROCESSOR_IDENTIFIER}; elsewhere the name of the architecture.
   */
  public static String name() {
    return Known.NAME;
  }

  private static String read() {
    String otherwise = System.getenv("PROCESSOR_IDENTIFIER");
    if (otherwise == null || otherwise.isBlank()) {
      otherwise = System.getProperty("os.arch");
    }
    try {
      return model(
          Files.readAllLines(Path.of("/proc/cpuinfo"), StandardCharsets.ISO_8859_1), otherwise);
    } catch (IOException e) {
      return otherwise;
    }
  }

  /** The first model name of the lines of {@code /proc/cpuinfo}, with single spaces. */
  static String model(List<String> cpuinfo, String otherwise) {
    return cpuinfo.stream()
        .filter(line -> line.matches("(model name|Model|cpu model|cpu)\\s*:.*\\S.*"))
        .map(line -> line.substring(line.indexOf(':') + 1).strip().replaceAll("\\s+", " "))
        .findFirst()
        .orElse(otherwise);
  }
}
