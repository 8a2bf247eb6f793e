package org.ivit.export.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Stream;
import org.ivit.core.InputException;
import org.ivit.core.io.FileFailures;
import org.ivit.export.cli.console.UsageText;
import org.ivit.export.cli.extension.AddedCommand;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.ParameterException;

/**
 * Parses and runs one command line. Whatever goes wrong is one line on the error stream, {@code
 * ivit: what happened}; a stack trace only with {@code --verbose}.
 */
public final class CommandLineInterface {
  /** Where the libraries of training are, which {@code scripts/package} leaves out. */
  private static final List<String> OF_TRAINING =
      List.of("org/deeplearning4j/", "org/nd4j/", "org/bytedeco/");

  private CommandLineInterface() {}

  /**
   * Runs a command line.
   *
   * @return 0 done, 1 failed, also where not all could be written to {@code out}, 2 usage or bad
   *     input, 128 and its number where a signal ended it
   */
  public static int run(PrintWriter out, PrintWriter err, String... args) {
    int code = execute(out, err, args);
    out.flush();
    if (code == ExitCode.OK && out.checkError()) {
      line(err, "the standard output cannot be written: its disk is full, or its reader has gone");
      return ExitCode.SOFTWARE;
    }
    return code;
  }

  private static int execute(PrintWriter out, PrintWriter err, String... args) {
    IvitCommand root = new IvitCommand();
    CommandLine commandLine = new CommandLine(root);
    ServiceLoader.load(AddedCommand.class).forEach(commandLine::addSubcommand);
    commandLine.setOut(out);
    commandLine.setErr(err);
    commandLine.setCaseInsensitiveEnumValuesAllowed(true);
    commandLine.registerConverter(Path.class, CommandLineInterface::path);
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
        "%s (see %s --help)"
            .formatted(UsageText.of(e), e.getCommandLine().getCommandSpec().qualifiedName()));
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
      if (cause instanceof InvalidPathException path) {
        line(err, unnameable(path));
        return ExitCode.USAGE;
      }
      if (cause instanceof UncheckedIOException && !isPlainWrapper(cause)) {
        line(err, cause.getMessage());
        return FileFailures.isOfThePath(cause.getCause()) ? ExitCode.USAGE : ExitCode.SOFTWARE;
      }
      if (cause instanceof FileSystemException file) {
        line(err, file.getFile() + ": " + FileFailures.reason(file));
        return FileFailures.isOfThePath(file) ? ExitCode.USAGE : ExitCode.SOFTWARE;
      }
      if (cause instanceof IOException failure) {
        line(err, FileFailures.reason(failure));
        return ExitCode.SOFTWARE;
      }
      if (cause instanceof OutOfMemoryError) {
        line(err, "out of memory; give the JVM more, for example IVIT_JAVA_OPTS=-Xmx4g");
        return ExitCode.SOFTWARE;
      }
      if (cause instanceof NoClassDefFoundError && isOfTraining(cause.getMessage())) {
        line(
            err,
            "training, quantization and float models need libraries that were left out here:"
                + " take a package made with scripts/package --training");
        return ExitCode.USAGE;
      }
    }
    line(err, "internal error: " + e + (verbose ? "" : " (--verbose shows where)"));
    return ExitCode.SOFTWARE;
  }

  private static boolean isOfTraining(String className) {
    return className != null && OF_TRAINING.stream().anyMatch(className::startsWith);
  }

  private static Path path(String text) {
    try {
      return Path.of(text);
    } catch (InvalidPathException e) {
      throw new InputException(unnameable(e), e);
    }
  }

  /** What is wrong with a name; most often it is the locale. */
  static String unnameable(InvalidPathException e) {
    String encoding = System.getProperty("sun.jnu.encoding");
    boolean ascii = e.getInput().chars().allMatch(c -> c < 128);
    return ascii || "UTF-8".equals(encoding)
        ? e.getInput() + ": is no name of a file: " + e.getReason()
        : e.getInput()
            + ": Java cannot name this file in the locale's encoding, "
            + encoding
            + "; set LC_ALL=C.UTF-8 or another locale with UTF-8";
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
