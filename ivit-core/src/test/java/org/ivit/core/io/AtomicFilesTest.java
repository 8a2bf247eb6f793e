package org.ivit.core.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.ivit.core.tensor.Safetensors;
import org.ivit.core.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFilesTest {
  @TempDir Path folder;

  private List<String> entries() throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.map(path -> path.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void createsAndReplaces() throws IOException {
    Path file = folder.resolve("deep/er/file.txt");
    AtomicFiles.write(file, stream -> stream.write('a'));
    assertThat(file).hasContent("a");
    AtomicFiles.write(
        file,
        stream -> {
          stream.write('b');
          stream.close();
        });
    assertThat(file).hasContent("b");
    assertThat(file.getParent()).isDirectoryContaining(path -> path.equals(file));
    try (Stream<Path> entries = Files.list(file.getParent())) {
      assertThat(entries).containsExactly(file);
    }
  }

  @Test
  void keepsTheOldFileWhileTheNewOneIsWritten() throws IOException {
    Path file = Files.writeString(folder.resolve("f"), "old");
    AtomicFiles.write(
        file,
        stream -> {
          stream.write(new byte[1 << 20]);
          assertThat(file).hasContent("old");
        });
    assertThat(file).hasSize(1 << 20);
  }

  @Test
  void diskFullAtEveryByteLeavesTheOldFileAndNothingElse() throws IOException {
    Path file = folder.resolve("model.safetensors");
    Files.writeString(file, "old");
    Map<String, Tensor> tensors = Map.of("w", Tensor.of(new float[] {1, 2, 3}, 3));
    ByteArrayOutputStream whole = new ByteArrayOutputStream();
    Safetensors.write(whole, tensors, Map.of());
    for (int capacity = 0; capacity < whole.size(); capacity++) {
      int limit = capacity;
      assertThatThrownBy(
              () ->
                  AtomicFiles.write(
                      file,
                      stream -> Safetensors.write(new FullDisk(stream, limit), tensors, Map.of())))
          .isInstanceOf(UncheckedIOException.class)
          .hasMessage(file + ": cannot be written: No space left on device");
      assertThat(file).hasContent("old");
      assertThat(entries()).containsExactly("model.safetensors");
    }
    AtomicFiles.write(
        file, stream -> Safetensors.write(new FullDisk(stream, whole.size()), tensors, Map.of()));
    assertThat(file).hasBinaryContent(whole.toByteArray());
  }

  /** Takes so many bytes and then fails as a full disk does. */
  private static final class FullDisk extends OutputStream {
    private final OutputStream out;
    private int left;

    FullDisk(OutputStream out, int capacity) {
      this.out = out;
      this.left = capacity;
    }

    @Override
    public void write(int value) throws IOException {
      if (left == 0) {
        throw new IOException("No space left on device");
      }
      left--;
      out.write(value);
    }
  }

  @Test
  void anyExceptionOfTheBodyDeletesTheTemporary() throws IOException {
    assertThatThrownBy(
            () ->
                AtomicFiles.write(
                    folder.resolve("f"),
                    stream -> {
                      stream.write(1);
                      throw new IllegalStateException("body");
                    }))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(
            () ->
                AtomicFiles.writeDirectory(
                    folder.resolve("d"),
                    path -> {
                      Files.writeString(path.resolve("half"), "x");
                      throw new IllegalStateException("body");
                    }))
        .isInstanceOf(IllegalStateException.class);
    assertThat(entries()).isEmpty();
  }

  @Test
  void refusesTargetsThatAreNoFile() throws IOException {
    Path inner = Files.createDirectory(folder.resolve("d"));
    assertThatThrownBy(() -> AtomicFiles.write(inner, stream -> stream.write(1)))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessage(inner + ": cannot be written: exists and is not a regular file");
    Path file = Files.writeString(folder.resolve("f"), "x");
    Path below = file.resolve("g");
    assertThatThrownBy(() -> AtomicFiles.write(below, stream -> stream.write(1)))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageStartingWith(below + ": cannot be written: ");
    assertThat(entries()).containsExactly("d", "f");
    assertThat(file).hasContent("x");
  }

  @Test
  void foldersAppearWholeAndReplaceWhole() throws IOException {
    Path target = folder.resolve("step");
    AtomicFiles.writeDirectory(
        target,
        path -> {
          Files.writeString(path.resolve("a"), "1");
          Files.createDirectory(path.resolve("sub"));
          Files.writeString(path.resolve("sub/b"), "2");
          assertThat(target).doesNotExist();
        });
    assertThat(target.resolve("sub/b")).hasContent("2");
    AtomicFiles.writeDirectory(target, path -> Files.writeString(path.resolve("c"), "3"));
    assertThat(target.resolve("c")).hasContent("3");
    assertThat(target.resolve("a")).doesNotExist();
    assertThat(entries()).containsExactly("step");
  }

  @Test
  void diskFullInAFolderKeepsTheOldOne() throws IOException {
    Path target = Files.createDirectory(folder.resolve("step"));
    Files.writeString(target.resolve("a"), "old");
    assertThatThrownBy(
            () ->
                AtomicFiles.writeDirectory(
                    target,
                    path -> {
                      Files.writeString(path.resolve("a"), "new");
                      throw new IOException("No space left on device");
                    }))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessage(target + ": cannot be written: No space left on device");
    assertThat(target.resolve("a")).hasContent("old");
    assertThat(entries()).containsExactly("step");
  }
}
