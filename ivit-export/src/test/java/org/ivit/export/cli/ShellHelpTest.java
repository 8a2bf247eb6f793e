package org.ivit.export.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** What helps at a prompt: examples in the help of commands, and the Tab key. */
class ShellHelpTest {
  /**
   * Types lines on a terminal at which a Zsh listens, and says what the program was called with.
   */
  private static final String ZSH =
      """
      zmodload zsh/zpty
      zpty shell 'TERM=dumb zsh -f -i'
      zpty -w shell 'PATH=scripts:$PATH; source ./ivit-completion; echo read$?'
      zpty -r -m shell out $'*\\nread0*' || exit 1
      for line in "$@"; do
        zpty -w shell "$line"
        zpty -r -m shell out $'*\\ngot: *.*' || exit 1
        print -r -- "${${out##*got: }%%.*}"
      done
      zpty -d shell
      """;

  @TempDir Path folder;

  private static CommandLine commandLine() {
    return new CommandLine(new IvitCommand()).setCaseInsensitiveEnumValuesAllowed(true);
  }

  /** The lines under the heading, those that end in a backslash joined with the next. */
  private static List<String> examples(CommandLine command) {
    String help = command.getUsageMessage();
    String after = help.substring(help.lastIndexOf("\nExample") + 1);
    return after
        .replaceAll("\\\\\\R\\s*", "")
        .lines()
        .filter(line -> line.startsWith("  ") && line.contains("ivit "))
        .map(String::strip)
        .toList();
  }

  @Test
  void everyCommandHasAnExampleThatItTakes() {
    Map<String, CommandLine> commands = commandLine().getSubcommands();
    assertThat(commands).containsKeys("predict", "completion").hasSizeGreaterThan(10);
    commands.forEach(
        (name, command) -> {
          assertThat(command.getUsageMessage()).as(name).contains("\nExample", "Exit codes:");
          List<String> examples = examples(command);
          assertThat(examples).as(name).isNotEmpty();
          for (String example : examples) {
            if (!name.equals("completion")) {
              assertThat(example).startsWith("ivit " + name);
              String[] words = example.substring("ivit ".length()).split(" ");
              assertThatCode(() -> commandLine().parseArgs(words))
                  .as(example)
                  .doesNotThrowAnyException();
            }
          }
        });
  }

  private static String completion() {
    StringWriter text = new StringWriter();
    int code =
        CommandLineInterface.run(
            new PrintWriter(text), new PrintWriter(new StringWriter()), "completion");
    assertThat(code).isZero();
    return text.toString();
  }

  @Test
  void bashCompletesCommandsAndOptions() throws Exception {
    Assumptions.assumeTrue(Files.isExecutable(Path.of("/bin/bash")), "skipped: no /bin/bash");
    Path script = folder.resolve("ivit-completion");
    Files.writeString(script, completion());
    assertThat(completed(script, "ivit", "pred")).isEqualTo("predict");
    assertThat(completed(script, "scripts/ivit", "predict", "--cla")).isEqualTo("--classes");
  }

  @Test
  void zshCompletesCommandsAndOptions() throws Exception {
    Path zsh = Path.of("/bin/zsh");
    Assumptions.assumeTrue(Files.isExecutable(zsh), "skipped: no /bin/zsh");
    Path program = Files.createDirectories(folder.resolve("scripts")).resolve("ivit");
    Files.writeString(program, "#!/bin/sh\necho \"got: $*.\"\n");
    assertThat(program.toFile().setExecutable(true)).isTrue();
    Files.writeString(folder.resolve("ivit-completion"), completion());
    String output =
        output(
            zsh.toString(), "-f", "-c", ZSH, "zsh", "ivit pred\t", "scripts/ivit predict --cla\t");
    assertThat(output.lines()).containsExactly("predict", "predict --classes");
  }

  /** What Bash puts in place of the last word; compopt says that nobody pressed Tab. */
  private String completed(Path script, String... words) throws Exception {
    String program =
        """
        source '%s'
        COMP_WORDS=(%s)
        COMP_CWORD=%d
        complete -p ivit >/dev/null && _complete_ivit 2>/dev/null && echo "${COMPREPLY[*]}"
        """
            .formatted(script, String.join(" ", words), words.length - 1);
    return output("/bin/bash", "-c", program);
  }

  /** What a program prints that ends well. */
  private String output(String... command) throws Exception {
    Process shell =
        new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true).start();
    String output = new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(shell.waitFor(1, TimeUnit.MINUTES)).isTrue();
    assertThat(shell.exitValue()).as(output).isZero();
    return output.strip();
  }
}
