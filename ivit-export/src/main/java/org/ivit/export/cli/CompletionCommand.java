package org.ivit.export.cli;

import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code ivit completion}: commands and options for the Tab key. */
@Command(
    name = "completion",
    footerHeading = "%nExample:%n  source <(ivit completion)%n",
    description =
        "Prints a script with which bash and zsh complete commands and options of ivit,"
            + " scripts/ivit too.")
final class CompletionCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    out.print(AutoComplete.bash(spec.root().name(), spec.root().commandLine()));
    out.flush();
    return ExitCode.OK;
  }
}
