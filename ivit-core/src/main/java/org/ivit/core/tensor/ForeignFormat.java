package org.ivit.core.tensor;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;

/**
 * Recognises, by its first bytes, what people take for a file of weights and what is none, and says
 * what to do with it.
 */
final class ForeignFormat {
  /** How many bytes of a file decide; the mark of a tar archive lies last. */
  static final int BEGINNING = 512;

  private static final int TAR_MARK = 257;

  /** What a file begins with, as ISO 8859-1, and what it then is. */
  private record Mark(int at, String bytes, String meaning) {}

  private static final String UNPACK = "unpack it and name the checkpoint inside";

  private static final List<Mark> MARKS =
      List.of(
          new Mark(
              0,
              "version https://git-lfs.github.com/spec/",
              "is a Git LFS pointer, not the file that it stands for: run git lfs pull where it was"
                  + " cloned, or download the file itself"),
          new Mark(0, "\u001f\u008b", "is compressed with gzip: " + UNPACK),
          new Mark(0, "BZh", "is compressed with bzip2: " + UNPACK),
          new Mark(0, "\u00fd7zXZ\u0000", "is compressed with xz: " + UNPACK),
          new Mark(0, "(\u00b5/\u00fd", "is compressed with zstd: " + UNPACK),
          new Mark(0, "7z\u00bc\u00af'\u001c", "is a 7z archive: " + UNPACK),
          new Mark(0, "Rar!", "is a RAR archive: " + UNPACK),
          new Mark(TAR_MARK, "ustar", "is a tar archive: " + UNPACK),
          new Mark(
              0,
              "\u0089HDF\r\n\u001a\n",
              "is HDF5, as Keras saves it: expected weights of PyTorch or safetensors"),
          new Mark(0, "GGUF", "is GGUF: expected weights of PyTorch or safetensors"),
          new Mark(
              4, "TFL3", "is a TensorFlow Lite model: expected weights of PyTorch or safetensors"),
          new Mark(
              0,
              "\u0093NUMPY",
              "is a single NumPy array: expected an .npz of named arrays, or weights of PyTorch or"
                  + " safetensors"),
          new Mark(0, "%PDF", "is a PDF document"),
          new Mark(0, "\u0089PNG", "is a picture"),
          new Mark(0, "\u00ff\u00d8\u00ff", "is a picture"));

  private ForeignFormat() {}

  /**
   * @param start the first {@link #BEGINNING} bytes of a file, or all of a shorter one
   * @return what the file is and what to do, or null if it is nothing that is known here
   */
  static String of(ByteBuffer start) {
    String text = StandardCharsets.ISO_8859_1.decode(start.duplicate()).toString();
    if (text.isEmpty()) {
      return "is empty: expected weights; was its download or copy cut short?";
    }
    for (Mark mark : MARKS) {
      if (text.startsWith(mark.bytes, mark.at)) {
        return mark.meaning;
      }
    }
    if (isOnnx(text)) {
      return "is an ONNX model: expected the weights that it was made from, of PyTorch or"
          + " safetensors";
    }
    String readable = text.startsWith("\u00ef\u00bb\u00bf") ? text.substring(3) : text;
    readable = readable.stripLeading().toLowerCase(Locale.ROOT);
    if (readable.startsWith("<!doctype html") || readable.startsWith("<html")) {
      return "is a web page, not a file of weights: the download led to a page, perhaps to log in";
    }
    if (readable.startsWith("<?xml") || readable.startsWith("<error")) {
      return "is an XML text, perhaps a server's error: expected weights of PyTorch or safetensors";
    }
    boolean isText =
        text.chars().allMatch(c -> (c >= ' ' && c < 0x7f) || c == '\n' || c == '\r' || c == '\t');
    return isText && text.length() > 8
        ? "is a text, not a file of weights: expected weights of PyTorch or safetensors"
        : null;
  }

  /** Field 1, the version of the format, then field 2, the producer's name, or field 7, a graph. */
  private static boolean isOnnx(String text) {
    if (text.length() < 4 || text.charAt(0) != 0x08 || text.charAt(1) > 0x20) {
      return false;
    }
    int length = text.charAt(3);
    boolean producer =
        text.charAt(2) == 0x12
            && length > 0
            && text.length() >= 4 + length
            && text.substring(4, 4 + length).chars().allMatch(c -> c >= ' ' && c < 0x7f);
    return producer || text.charAt(2) == 0x3a;
  }
}
