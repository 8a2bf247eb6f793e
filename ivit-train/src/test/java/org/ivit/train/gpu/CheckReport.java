package org.ivit.train.gpu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What a check of training found, in the field {@value #FIELD} of a file, beside what the file has;
 * written after every step, so that a run that was cut off leaves what it had.
 */
final class CheckReport {
  private static final String FIELD = "training";

  private final PrintStream out = System.out;
  private final Path path;
  private final ObjectNode file;
  private final ObjectNode result;
  private final ArrayNode checks;
  private boolean passed = true;

  /**
   * @param path of the file, which need not exist
   */
  CheckReport(Path path) throws IOException {
    this.path = path;
    JsonNode found = Files.exists(path) ? new ObjectMapper().readTree(path.toFile()) : null;
    file = found instanceof ObjectNode object ? object : JsonNodeFactory.instance.objectNode();
    result = file.putObject(FIELD);
    checks = result.putArray("checks");
  }

  /** Where fields of the whole check go. */
  ObjectNode result() {
    return result;
  }

  /** Whether nothing has failed so far. */
  boolean passed() {
    return passed;
  }

  /** A row for what a check finds. */
  ObjectNode check() {
    return checks.addObject();
  }

  /** Says how a check went. */
  void record(String name, ObjectNode row, boolean ok) throws IOException {
    passed &= ok;
    row.put("name", name).put("passed", ok);
    write();
    say("%-6s %s", ok ? "passed" : "FAILED", name);
  }

  /** Says something to people. */
  void say(String format, Object... values) {
    out.printf(format + "%n", values);
  }

  /** Writes the file. */
  void write() throws IOException {
    result.put("passed", passed);
    new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT).writeValue(path.toFile(), file);
  }
}
