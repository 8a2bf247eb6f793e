package org.ivit.export.cli.console;

import java.util.ArrayList;
import java.util.List;
import org.ivit.core.InputException;
import org.ivit.core.MessageText;
import org.ivit.core.Suggestion;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** What is wrong with a command line, in one line, with what was perhaps meant. */
public final class UsageText {
  private UsageText() {}

  public static String of(ParameterException e) {
    Throwable cause = e.getCause();
    if (cause instanceof InputException && cause.getMessage() != null) {
      return cause.getMessage();
    }
    // An option that is misspelt is also one that is missing: the word says more than the gap.
    List<String> unmatched =
        e instanceof UnmatchedArgumentException unknown
            ? unknown.getUnmatched()
            : e.getCommandLine().getUnmatchedArguments();
    return unmatched.isEmpty() ? plain(e) : unknown(e.getCommandLine(), unmatched.get(0));
  }

  private static String plain(ParameterException e) {
    return MessageText.line(e.getMessage());
  }

  private static String unknown(CommandLine command, String word) {
    if (word.startsWith("-")) {
      int equals = word.indexOf('=');
      String name = equals < 0 ? word : word.substring(0, equals);
      List<String> options = new ArrayList<>();
      for (OptionSpec option : command.getCommandSpec().options()) {
        options.addAll(List.of(option.names()));
      }
      return "unknown option " + MessageText.quote(name) + Suggestion.of(name, options);
    }
    if (command.getSubcommands().isEmpty()) {
      return "found " + MessageText.quote(word) + ", expected no more arguments";
    }
    return "unknown command "
        + MessageText.quote(word)
        + Suggestion.of(word, command.getSubcommands().keySet());
  }
}
