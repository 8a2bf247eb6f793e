package org.ivit.export.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.ivit.core.checkpoint.SourceDate;
import org.ivit.export.cli.console.NextCommand;
import org.ivit.export.quickstart.Quickstart;
import org.ivit.train.monitor.ConsoleMonitor;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code ivit quickstart}: the whole way, without any data. */
@Command(
    name = "quickstart",
    footerHeading = "%nExample:%n  ivit quickstart%n",
    description =
        "Trains a small DeiT on pictures that it draws, makes it integers, compares both.")
final class QuickstartCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = "--output",
      paramLabel = "DIR",
      defaultValue = "runs/quickstart",
      description = "Where everything goes (default: ${DEFAULT-VALUE}).")
  private Path output;

  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE",
      description = "Replaces a value of both recipes, such as threads=1. Repeatable.")
  private List<String> overrides = new ArrayList<>();

  @Override
  public Integer call() {
    SourceDate.text();
    return Running.quickstart(output, overrides, spec.commandLine().getOut());
  }

  /** Apart from the command, so that the usage text loads no Deeplearning4j. */
  private static final class Running {
    static int quickstart(Path output, List<String> overrides, PrintWriter out) {
      try (ConsoleMonitor monitor = ConsoleMonitor.standard()) {
        Quickstart.Result result =
            new Quickstart(output, IvitCommand.Version.version(), out).run(monitor, overrides);
        Path file = output.resolve(Quickstart.CHECKPOINT);
        out.println(NextCommand.of("inspect", file));
        out.println(NextCommand.of("predict", "--model", file, "IMAGE"));
        return result.identity().differences() == 0 ? 0 : 1;
      }
    }
  }
}
