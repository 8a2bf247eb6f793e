package org.ivit.export.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Files whose names are not ASCII, and names that no file can have. */
class FileNameTest {
  @TempDir private Path folder;

  /** The file systems of macOS and Windows have names in Unicode, whatever the locale is. */
  @Test
  @EnabledOnOs(OS.LINUX)
  void aLocaleThatCannotNameAFileIsSaidInALine() throws Exception {
    assumeTrue(Charset.forName(System.getProperty("sun.jnu.encoding")).newEncoder().canEncode('é'));
    assumeTrue(
        System.getProperty("java.class.path").chars().allMatch(c -> c < 128),
        "Java itself finds no class in such a folder");
    Path checkpoint = MicroModel.checkpoint(folder.resolve("micro.ivit.safetensors"));
    Path pictures = MicroModel.pictures(folder.resolve("pictures"), MicroModel.CLASSES, 1);
    Path odd = Files.move(pictures.resolve("ant/0.png"), folder.resolve("é.png"));
    Path oddFolder = Files.move(pictures, folder.resolve("é"));
    List<List<Object>> commands =
        List.of(
            List.of("predict", "--model", checkpoint, odd),
            List.of("inspect", odd),
            List.of("evaluate", "--model", checkpoint, "--data", oddFolder));
    for (List<Object> command : commands) {
      ChildJvm.Outcome outcome = ChildJvm.runInShell("LC_ALL=POSIX exec \"$@\"", command.toArray());
      assertThat(outcome.code()).as(outcome.output()).isEqualTo(2);
      assertThat(outcome.output())
          .hasLineCount(1)
          .startsWith("ivit: ")
          .contains("cannot name this file in the locale's encoding", "set LC_ALL=C.UTF-8");
    }
    ChildJvm.Outcome outcome =
        ChildJvm.runInShell(
            "LC_ALL=C.UTF-8 exec \"$@\"", "predict", "--model", checkpoint, odd.toString());
    assertThat(outcome.code()).as(outcome.output()).isZero();
    assertThat(outcome.output()).startsWith(odd.toString());
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void aNameThatNoFileCanHaveIsSaidInALine() {
    for (List<String> command :
        List.of(
            List.of("inspect", "a\0b"), List.of("evaluate", "--model", "a\0b", "--data", "x"))) {
      StringWriter err = new StringWriter();
      int code =
          CommandLineInterface.run(
              new PrintWriter(new StringWriter()),
              new PrintWriter(err),
              command.toArray(String[]::new));
      assertThat(code).as(err.toString()).isEqualTo(2);
      assertThat(err.toString())
          .hasLineCount(1)
          .startsWith("ivit: ")
          .contains("a\0b: is no name of a file: Nul character not allowed");
    }
  }

  @Test
  void theLocaleIsBlamedForLettersBeyondAsciiOnly() {
    String encoding = System.getProperty("sun.jnu.encoding");
    try {
      System.setProperty("sun.jnu.encoding", "ANSI_X3.4-1968");
      assertThat(CommandLineInterface.unnameable(new InvalidPathException("é", "odd")))
          .contains("é: Java cannot name this file", "ANSI_X3.4-1968", "LC_ALL=C.UTF-8");
      assertThat(CommandLineInterface.unnameable(new InvalidPathException("e", "odd")))
          .isEqualTo("e: is no name of a file: odd");
    } finally {
      System.setProperty("sun.jnu.encoding", encoding);
    }
  }
}
