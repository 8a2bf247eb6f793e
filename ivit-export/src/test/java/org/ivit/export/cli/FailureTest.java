package org.ivit.export.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.concurrent.ExecutionException;
import org.ivit.core.InputException;
import org.junit.jupiter.api.Test;

class FailureTest {
  private static void expect(Throwable failure, int code, String line) {
    StringWriter err = new StringWriter();
    assertThat(CommandLineInterface.failed(new PrintWriter(err), failure, false)).isEqualTo(code);
    assertThat(err.toString()).isEqualTo("ivit: " + line + System.lineSeparator());
  }

  @Test
  void badInputIsFoundBehindOtherExceptions() {
    expect(new InputException("a.png: corrupt"), 2, "a.png: corrupt");
    expect(
        new IllegalStateException(new ExecutionException(new InputException("two\n lines"))),
        2,
        "two lines");
  }

  @Test
  void filesThatCannotBeReadAreBadInput() {
    expect(new NoSuchFileException("x.yaml"), 2, "x.yaml: no such file or folder");
    expect(
        new UncheckedIOException(new AccessDeniedException("x.yaml")),
        2,
        "x.yaml: permission denied");
  }

  @Test
  void aFullDiskIsAFailure() {
    IOException full = new FileSystemException("r.json.tmp", null, "No space left on device");
    expect(full, 1, "r.json.tmp: No space left on device");
    expect(
        new UncheckedIOException("r.json: cannot be written: No space left on device", full),
        1,
        "r.json: cannot be written: No space left on device");
  }

  @Test
  void memoryThatIsShortNamesTheOption() {
    expect(
        new IllegalStateException(new OutOfMemoryError("Java heap space")),
        1,
        "out of memory; give the JVM more, for example IVIT_JAVA_OPTS=-Xmx4g");
  }

  @Test
  void aPackageWithoutTrainingSaysSo() {
    expect(
        new NoClassDefFoundError("org/nd4j/linalg/learning/config/IUpdater"),
        2,
        "training, quantization and float models need libraries that were left out here: take a"
            + " package made with scripts/package --training");
    expect(
        new NoClassDefFoundError("org/ivit/core/Size"),
        1,
        "internal error: java.lang.NoClassDefFoundError: org/ivit/core/Size (--verbose shows"
            + " where)");
  }

  @Test
  void anythingElseIsAnInternalErrorWhoseTraceVerboseShows() {
    expect(
        new IllegalStateException("odd"),
        1,
        "internal error: java.lang.IllegalStateException: odd (--verbose shows where)");
    StringWriter err = new StringWriter();
    CommandLineInterface.failed(new PrintWriter(err), new IllegalStateException("odd"), true);
    assertThat(err.toString()).contains("\tat " + FailureTest.class.getName());
  }
}
