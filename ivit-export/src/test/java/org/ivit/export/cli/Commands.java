package org.ivit.export.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Arrays;

/** Runs the command line in this process. */
final class Commands {
  private Commands() {}

  /**
   * What a command came to.
   *
   * @param code exit code
   * @param out standard output
   * @param err standard error
   */
  record Outcome(int code, String out, String err) {}

  /** Runs a command, whatever comes of it. */
  static Outcome run(Object... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int code =
        CommandLineInterface.run(
            new PrintWriter(out),
            new PrintWriter(err),
            Arrays.stream(args).map(Object::toString).toArray(String[]::new));
    return new Outcome(code, out.toString(), err.toString());
  }

  /** Runs a command that succeeds without a word on the error stream; answers its output. */
  static String done(Object... args) {
    Outcome outcome = run(args);
    assertThat(outcome.err).isEmpty();
    assertThat(outcome.code).isZero();
    return outcome.out;
  }
}
