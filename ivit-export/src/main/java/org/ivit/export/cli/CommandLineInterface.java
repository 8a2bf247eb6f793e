package org.ivit.export.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.nio.file.InvalidPathException;
import java.util.List;
import java.util.stream.Stream;
import org.ivit.core.InputException;
import org.ivit.core.MessageText;
import org.ivit.core.io.FileFailures;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.ParameterException;

/**
 * Parses and runs one command line. Whatever goes wrong is one line on the error stream, {@code
 * ivit: what happened}; a stack trace only with {@code --verbose}.
 */
public final class CommandLineInterface {
  private CommandLineInterface() {}

  /**
   * Runs a command line.
   *
   * @return 0 done, 1 failed, 2 usage or bad input
   */
  public static int run(PrintWriter out, PrintWriter err, String... args) {
    IvitCommand root = new IvitCommand();
    CommandLine commandLine = new CommandLine(root);
    commandLine.setOut(out);
    commandLine.setErr(err);
    commandLine.setCaseInsensitiveEnumValuesAllowed(true);
    commandLine.setExecutionStrategy(
        parsed -> {
          if (root.verbose) {
            ((Logger) LoggerFactory.getLogger("org.ivit")).setLevel(Level.DEBUG);
          }
          return new CommandLine.RunLast().execute(parsed);
        });
    commandLine.setParameterExceptionHandler((e, a) -> usage(err, e));
    commandLine.setExecutionExceptionHandler((e, c, parsed) -> failed(err, e, root.verbose));
    // Errors (out of memory, a class that does not link) do not pass picocli's handler.
    try {
      return commandLine.execute(args);
    } catch (OutOfMemoryError e) {
      line(err, "out of memory; give the JVM more, for example IVIT_JAVA_OPTS=-Xmx4g");
      return ExitCode.SOFTWARE;
    } catch (LinkageError | AssertionError e) {
      return failed(err, e, root.verbose);
    }
  }

  private static int usage(PrintWriter err, ParameterException e) {
    line(
        err,
        UsageText.of(e)
            + " (see "
            + e.getCommandLine().getCommandSpec().qualifiedName()
            + " --help)");
    return ExitCode.USAGE;
  }

  /** Says in a line what happened. */
  static int failed(PrintWriter err, Throwable e, boolean verbose) {
    if (verbose) {
      e.printStackTrace(err);
    }
    for (Throwable cause : chain(e)) {
      if (cause instanceof InputException) {
        line(err, cause.getMessage());
        return ExitCode.USAGE;
      }
    }
    for (Throwable cause : chain(e)) {
      if (cause instanceof UncheckedIOException && !isPlainWrapper(cause)) {
        line(err, cause.getMessage());
        return FileFailures.isOfThePath(cause.getCause()) ? ExitCode.USAGE : ExitCode.SOFTWARE;
      }
      if (cause instanceof FileSystemException file) {
        line(err, file.getFile() + ": " + FileFailures.reason(file));
        return FileFailures.isOfThePath(file) ? ExitCode.USAGE : ExitCode.SOFTWARE;
      }
      if (cause instanceof InvalidPathException path) {
        line(err, MessageText.quote(path.getInput()) + ": is no path: " + path.getReason());
        return ExitCode.USAGE;
      }
      if (cause instanceof IOException failure) {
        line(err, FileFailures.reason(failure));
        return ExitCode.SOFTWARE;
      }
      if (cause instanceof OutOfMemoryError) {
        line(err, "out of memory; give the JVM more, for example IVIT_JAVA_OPTS=-Xmx4g");
        return ExitCode.SOFTWARE;
      }
    }
    line(err, "internal error: " + e + (verbose ? "" : " (--verbose shows where)"));
    return ExitCode.SOFTWARE;
  }

  /** Whether an exception says nothing but what its cause says. */
  private static boolean isPlainWrapper(Throwable e) {
    return e.getMessage() == null || e.getMessage().equals(String.valueOf(e.getCause()));
  }

  private static List<Throwable> chain(Throwable e) {
    return Stream.iterate(e, t -> t != null, Throwable::getCause).limit(32).toList();
  }

  private static void line(PrintWriter err, String message) {
    err.println("ivit: " + message.strip().replaceAll("\\s*\\R\\s*", " "));
    err.flush();
  }
}
