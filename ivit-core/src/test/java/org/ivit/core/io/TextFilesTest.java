package org.ivit.core.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.ivit.core.InputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TextFilesTest {
  @TempDir Path folder;

  private void refused(Path file, String message) {
    assertThatThrownBy(() -> TextFiles.read(file, "a list"))
        .isInstanceOf(InputException.class)
        .hasMessage(file + ": " + message);
  }

  @Test
  void readsUtf8WithAndWithoutAMark() throws IOException {
    String text = "añb\n\u6f22 \ud83d\ude00";
    Path file = Files.writeString(folder.resolve("a.txt"), text);
    assertThat(TextFiles.read(file, "a list")).isEqualTo(text);
    assertThat(TextFiles.read(Files.writeString(file, "\ufeff" + text), "a list")).isEqualTo(text);
    assertThat(TextFiles.read(Files.writeString(file, ""), "a list")).isEmpty();
  }

  @Test
  void namesTheLineOfAByteThatIsNoUtf8() throws IOException {
    Path file = folder.resolve("a.txt");
    Files.write(file, "one\ntwo\nthré\n".getBytes(StandardCharsets.ISO_8859_1));
    refused(file, "line 3: found byte 0xE9, which is no UTF-8, expected a list");
    Files.write(file, new byte[] {(byte) 0x89, 'P', 'N', 'G'});
    refused(file, "line 1: found byte 0x89, which is no UTF-8, expected a list");
    // A character that the end of the file cuts off.
    Files.write(file, new byte[] {'a', (byte) 0xc3});
    refused(file, "line 1: found byte 0xC3, which is no UTF-8, expected a list");
  }

  @Test
  void saysWhatIsThereInstead() {
    refused(folder, "is a folder, expected a list");
    refused(folder.resolve("no"), "cannot be read: no such file or folder, expected a list");
  }
}
