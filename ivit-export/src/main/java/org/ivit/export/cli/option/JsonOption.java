package org.ivit.export.cli.option;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Path;
import org.ivit.export.evaluate.EvaluationJson;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** Where a command's result goes as JSON: a file, or the standard output and nothing else there. */
public final class JsonOption {
  private static final Path STANDARD_OUTPUT = Path.of("-");

  @Option(
      names = "--json",
      paramLabel = "F",
      description =
          "Write the result as JSON; - is the standard output, on which nothing else is then"
              + " printed.")
  private Path json;

  /** Refuses a file that cannot be written before anything long starts. */
  public void validate() {
    if (!standardOutput()) {
      Checks.writable("--json", json);
    }
  }

  /** Whether JSON has the standard output to itself. */
  public boolean standardOutput() {
    return STANDARD_OUTPUT.equals(json);
  }

  /** Where the command's text goes: nowhere if JSON has the standard output to itself. */
  public PrintWriter text(CommandSpec spec) {
    return standardOutput() ? new PrintWriter(Writer.nullWriter()) : spec.commandLine().getOut();
  }

  /** Writes the result if it was asked for. */
  public void write(CommandSpec spec, ObjectNode result) {
    if (standardOutput()) {
      PrintWriter out = spec.commandLine().getOut();
      out.print(EvaluationJson.text(result));
      out.flush();
    } else if (json != null) {
      EvaluationJson.write(json, result);
    }
  }
}
