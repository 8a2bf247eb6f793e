package org.ivit.core.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.ivit.core.InputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DigestsTest {
  /** Of {@code abc}, from FIPS 180-2. */
  private static final String ABC =
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

  @Test
  void ofAFile(@TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("abc"), "abc");
    assertThat(Digests.file(file)).isEqualTo(ABC);
    Path missing = folder.resolve("missing");
    assertThatThrownBy(() -> Digests.file(missing))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(missing + ": cannot be read");
  }

  @Test
  void ofLines(@TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("lines"), "a\nü\n");
    assertThat(Digests.lines(Stream.of("a", "ü"))).isEqualTo(Digests.file(file));
    assertThat(Digests.lines(Stream.of("ü", "a"))).isNotEqualTo(Digests.file(file));
  }
}
