package org.ivit.export.cli;

import java.util.concurrent.Callable;
import org.ivit.export.cli.console.IvitVersion;
import org.ivit.export.cli.features.EmbedCommand;
import org.ivit.export.cli.features.SearchCommand;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** {@code ivit}: what all commands share. */
@Command(
    name = "ivit",
    description = "Trains, exports and runs integer-only vision transformers.",
    mixinStandardHelpOptions = true,
    scope = ScopeType.INHERIT,
    sortOptions = false,
    versionProvider = IvitCommand.Version.class,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      QuickstartCommand.class,
      TrainCommand.class,
      QuantizeCommand.class,
      ExportCommand.class,
      EvaluateCommand.class,
      PredictCommand.class,
      EmbedCommand.class,
      SearchCommand.class,
      InspectCommand.class,
      BenchCommand.class,
      BenchLoaderCommand.class,
      DiagnoseCommand.class,
      ConvertCommand.class,
      CompletionCommand.class
    },
    footer = {
      "",
      "Exit codes: 0 done, 1 failed, 2 usage or bad input, 130 or 143 stopped by a signal.",
      "IVIT_JAVA_OPTS holds options for the JVM, for example -Xmx6g."
    })
final class IvitCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = "--verbose",
      scope = ScopeType.INHERIT,
      description = "Log details, and stack traces of failures.")
  boolean verbose;

  /** Without a command there is nothing to do: shows the usage on the error stream. */
  @Override
  public Integer call() {
    spec.commandLine().usage(spec.commandLine().getErr());
    return ExitCode.USAGE;
  }

  /** The version that the build wrote. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {"ivit " + version()};
    }

    static String version() {
      return IvitVersion.text();
    }
  }
}
