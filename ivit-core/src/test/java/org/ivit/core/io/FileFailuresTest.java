package org.ivit.core.io;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileFailuresTest {
  @TempDir Path folder;

  @FunctionalInterface
  private interface Body {
    void run() throws IOException;
  }

  private static IOException thrown(Body body) {
    try {
      body.run();
    } catch (IOException e) {
      return e;
    }
    throw new AssertionError("nothing was thrown");
  }

  private static void expect(IOException e, String reason, boolean ofThePath) {
    assertThat(FileFailures.reason(e)).isEqualTo(reason);
    assertThat(FileFailures.isOfThePath(e)).isEqualTo(ofThePath);
  }

  @Test
  void whatSystemsThrowIsSaidInWords() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "x");
    Path missing = folder.resolve("missing");
    expect(thrown(() -> Files.readString(missing)), "no such file or folder", true);
    expect(thrown(() -> Files.createDirectory(file)), file + " is in the way", true);
    expect(thrown(() -> Files.delete(folder)), folder + " is not empty", true);
    expect(thrown(() -> Files.readString(file.resolve("x"))), "Not a directory", true);
    Path longName = folder.resolve("n".repeat(300));
    expect(thrown(() -> Files.writeString(longName, "x")), "File name too long", true);
  }

  @Test
  void exceptionsThatNameNothingButTheFile() {
    expect(new NoSuchFileException("f"), "no such file or folder", true);
    expect(new AccessDeniedException("f"), "permission denied", true);
    expect(new FileAlreadyExistsException("f"), "f is in the way", true);
    expect(new NotDirectoryException("f"), "f is no folder", true);
    expect(new DirectoryNotEmptyException("f"), "f is not empty", true);
    expect(new MalformedInputException(1), "is no text in UTF-8", false);
    expect(new EOFException(), "it ends too early", false);
    expect(new IOException(), "input or output failed", false);
  }

  @Test
  void aFullDiskIsNoFaultOfThePath() {
    expect(
        new FileSystemException("f", null, "No space left on device"),
        "No space left on device",
        false);
  }

  @Test
  void jsonIsSaidWithItsLineAndWithoutItsSource() {
    IOException e = thrown(() -> new ObjectMapper().readTree("{\n \"a\": 1,\n oops\n}"));
    assertThat(FileFailures.reason(e)).startsWith("line 3: not well-formed JSON: ");
    assertThat(FileFailures.reason(e)).doesNotContain("Source", "REDACTED");
  }
}
