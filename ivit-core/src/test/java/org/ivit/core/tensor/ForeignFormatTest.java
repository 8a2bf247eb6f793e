package org.ivit.core.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.ivit.core.InputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What people take for a file of weights. */
class ForeignFormatTest {
  @TempDir Path folder;

  private static byte[] latin(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  private static byte[] gzip(byte[] bytes) throws Exception {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(bytes);
    }
    return out.toByteArray();
  }

  /** The header of one entry, in the form of POSIX. */
  private static byte[] tar() {
    byte[] block = new byte[1024];
    System.arraycopy(latin("model.pth"), 0, block, 0, 9);
    System.arraycopy(latin("ustar\u000000"), 0, block, 257, 8);
    return block;
  }

  static Stream<Arguments> files() throws Exception {
    return Stream.of(
        Arguments.of(
            latin("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2\nsize 22\n"),
            "is a Git LFS pointer"),
        Arguments.of(latin("<!DOCTYPE html>\n<html><head>"), "is a web page"),
        Arguments.of(latin("\u00ef\u00bb\u00bf\n <HTML lang=\"en\">"), "is a web page"),
        Arguments.of(latin("<?xml version=\"1.0\"?><Error><Code>AccessDenied"), "is an XML text"),
        Arguments.of(latin("Not Found\n"), "is a text"),
        Arguments.of(gzip(PickleBuilder.zipCheckpoint()), "is compressed with gzip: unpack it"),
        Arguments.of(latin("BZh91AY&SY\u0000\u0001"), "is compressed with bzip2"),
        Arguments.of(latin("\u00fd7zXZ\u0000\u0000\u0004"), "is compressed with xz"),
        Arguments.of(latin("(\u00b5/\u00fd\u0004Xabcd"), "is compressed with zstd"),
        Arguments.of(tar(), "is a tar archive"),
        Arguments.of(latin("\u0089HDF\r\n\u001a\n\u0000\u0000"), "is HDF5"),
        Arguments.of(latin("\u0008\u0007\u0012\u0007pytorch\u001a\u00052.1.0"), "is an ONNX model"),
        Arguments.of(latin("\u0008\u0009:\u0090\u0003"), "is an ONNX model"),
        Arguments.of(latin("\u0093NUMPY\u0001\u0000v\u0000{'descr'"), "is a single NumPy array"),
        Arguments.of(latin("GGUF\u0003\u0000\u0000\u0000\u0000"), "is GGUF"),
        Arguments.of(
            latin("\u001c\u0000\u0000\u0000TFL3\u0014\u0000"), "is a TensorFlow Lite model"),
        Arguments.of(latin("\u0089PNG\r\n\u001a\n\u0000"), "is a picture"),
        Arguments.of(
            latin("\u0080\u0004\u0095\u0010\u0000}\u0094."), "is a pickle that torch.save"),
        Arguments.of(new byte[0], "is empty"));
  }

  @ParameterizedTest
  @MethodSource("files")
  void saysWhatItIs(byte[] bytes, String expected) throws Exception {
    Path file = Files.write(folder.resolve("model.pth"), bytes);
    assertThatThrownBy(() -> TensorFiles.open(file))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith(file + ": " + expected)
        .hasMessageNotContaining("\n");
  }

  /** A header whose length begins with the mark of gzip is a header. */
  @Test
  void aHeadersLengthIsNoMark() throws Exception {
    int length = 0x8b1f;
    byte[] header = "{}".concat(" ".repeat(length - 2)).getBytes(StandardCharsets.US_ASCII);
    byte[] bytes =
        ByteBuffer.allocate(8 + length)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(length)
            .put(header)
            .array();
    Path file = Files.write(folder.resolve("model.safetensors"), bytes);
    assertThat(TensorFiles.open(file).tensors()).isEqualTo(Map.of());
  }
}
