package org.ivit.core.tensor;

import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.ivit.core.InputException;
import org.ivit.core.MessageText;
import org.ivit.core.io.AtomicFiles;
import org.ivit.core.io.FileFailures;

/**
 * Safetensors files: 8 bytes of header length, a JSON header, the tensors' little-endian data. See
 * <a href="https://github.com/huggingface/safetensors">the format</a>.
 */
public final class Safetensors {
  private static final int LENGTH_BYTES = 8;
  private static final long LARGEST_HEADER = 100_000_000;

  /** Smaller files are read to the heap: a mapping costs more, and locks the file on Windows. */
  private static final long SMALLEST_MAPPED = 1 << 20;

  private Safetensors() {}

  /**
   * Reads a file after checking all of its structure. The tensors of a large file are slices of a
   * read-only mapping, so opening costs little and the file must not be changed in place
   * afterwards; files beyond 2 GiB are mapped tensor by tensor.
   *
   * @param file a safetensors file
   * @return its tensors and metadata in the order of its header
   * @throws InputException naming file, tensor, what was found and what was expected: no such file,
   *     too short, header length beyond 100 MB or the file, JSON not well-formed or with a key
   *     twice, unknown dtype, sizes that are negative, not integers or overflow, data out of range,
   *     of the wrong size, overlapping or with gaps
   */
  public static TensorFile read(Path file) {
    return read(file, false);
  }

  /**
   * As {@link #read(Path)}, each tensor in an array of its own, and nothing mapped: for a file of
   * which everything is wanted in arrays anyway, which so is in memory once.
   *
   * @param file a safetensors file
   */
  public static TensorFile readToHeap(Path file) {
    return read(file, true);
  }

  /**
   * As {@link #read(Path)}, but a tensor of a type that is not known here does not refuse the file:
   * it is among {@link TensorContents#others}.
   */
  static TensorContents contents(Path file) {
    Map<String, String> others = new LinkedHashMap<>();
    TensorFile tensors = read(file, false, others);
    return TensorContents.of("safetensors", tensors, others);
  }

  private static TensorFile read(Path file, boolean toHeap) {
    return read(file, toHeap, null);
  }

  /**
   * @param others takes the types of tensors that are not known; null to refuse them
   */
  private static TensorFile read(Path file, boolean toHeap, Map<String, String> others) {
    String source = file.toString();
    if (Files.isDirectory(file)) {
      throw new InputException(source + ": is a folder, expected a safetensors file");
    }
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      return read(source, channel, toHeap, others);
    } catch (NoSuchFileException e) {
      throw new InputException(source + ": no such file", e);
    } catch (IOException e) {
      throw new InputException(source + ": cannot be read: " + FileFailures.reason(e), e);
    }
  }

  private static TensorFile read(
      String source, FileChannel channel, boolean toHeap, Map<String, String> others)
      throws IOException {
    long fileSize = channel.size();
    if (fileSize < LENGTH_BYTES) {
      throw new InputException(
          "%s: has %d bytes, expected at least the %d of a safetensors header length"
              .formatted(source, fileSize, LENGTH_BYTES));
    }
    long headerSize = bytes(channel, 0, LENGTH_BYTES).getLong();
    if (headerSize < 0 || headerSize > Math.min(LARGEST_HEADER, fileSize - LENGTH_BYTES)) {
      throw new InputException(
          "%s: header length is %s, expected at most %d in a file of %d bytes: %s"
              .formatted(
                  source,
                  Long.toUnsignedString(headerSize),
                  Math.min(LARGEST_HEADER, fileSize - LENGTH_BYTES),
                  fileSize,
                  "truncated or not a safetensors file"));
    }
    byte[] headerBytes = bytes(channel, LENGTH_BYTES, (int) headerSize).array();
    long dataBegin = LENGTH_BYTES + headerSize;
    long dataSize = fileSize - dataBegin;
    SafetensorsHeader header = SafetensorsHeader.parse(source, headerBytes, dataSize);
    if (others == null) {
      header.requireKnownTypes(source);
    }

    ByteBuffer all = null;
    if (!toHeap && fileSize < SMALLEST_MAPPED) {
      all = bytes(channel, dataBegin, (int) dataSize);
    } else if (!toHeap && dataSize <= Integer.MAX_VALUE) {
      all = channel.map(MapMode.READ_ONLY, dataBegin, dataSize);
    }
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    for (SafetensorsHeader.Entry entry : header.entries()) {
      if (entry.dtype() == null) {
        others.put(entry.name(), entry.type());
        continue;
      }
      int size = (int) (entry.end() - entry.begin());
      String origin = source + ": tensor " + MessageText.quote(entry.name());
      if (toHeap) {
        byte[] own = bytes(channel, dataBegin + entry.begin(), size).array();
        tensors.put(entry.name(), Tensor.owning(origin, entry.dtype(), own, entry.shape()));
        continue;
      }
      ByteBuffer data =
          all != null
              ? all.slice((int) entry.begin(), size)
              : channel.map(MapMode.READ_ONLY, dataBegin + entry.begin(), size);
      tensors.put(entry.name(), Tensor.view(origin, entry.dtype(), data, entry.shape()));
    }
    return new TensorFile(tensors, header.metadata(), source);
  }

  private static ByteBuffer bytes(FileChannel channel, long position, int size) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    while (bytes.hasRemaining()) {
      if (channel.read(bytes, position + bytes.position()) < 0) {
        throw new EOFException("the file became shorter while it was read");
      }
    }
    return bytes.flip();
  }

  /**
   * Writes a file atomically: it is complete or, after any failure, as it was.
   *
   * @param file the file to create or replace
   * @param tensors by name; the header keeps their order, while the data lie by falling element
   *     size, so that each tensor is aligned to its elements
   * @param metadata texts, written in the order of their keys
   * @throws java.io.UncheckedIOException naming the file, if it cannot be written
   */
  public static void write(Path file, Map<String, Tensor> tensors, Map<String, String> metadata) {
    AtomicFiles.write(file, stream -> write(stream, tensors, metadata));
  }

  /**
   * Writes the bytes of a safetensors file to a stream; see {@link #write(Path, Map, Map)}. Equal
   * arguments give equal bytes.
   *
   * @param stream not closed
   * @param tensors by name
   * @param metadata texts
   * @throws IOException if the stream does
   */
  public static void write(
      OutputStream stream, Map<String, Tensor> tensors, Map<String, String> metadata)
      throws IOException {
    begin(stream, SafetensorsHeader.of(tensors, metadata));
    byte[] chunk = new byte[1 << 16];
    for (String name : SafetensorsHeader.dataOrder(tensors)) {
      ByteBuffer data = tensors.get(name).buffer();
      while (data.hasRemaining()) {
        int count = Math.min(chunk.length, data.remaining());
        data.get(chunk, 0, count);
        stream.write(chunk, 0, count);
      }
    }
  }

  /**
   * How many bytes a file has.
   *
   * @param tensors by name
   * @param metadata texts
   */
  public static long bytes(Map<String, Tensor> tensors, Map<String, String> metadata) {
    long bytes = LENGTH_BYTES + (long) SafetensorsHeader.of(tensors, metadata).toBytes().length;
    for (Tensor tensor : tensors.values()) {
      bytes += tensor.buffer().remaining();
    }
    return bytes;
  }

  /**
   * Writes a file of one tensor, whose data need not be in memory, atomically.
   *
   * @param file the file to create or replace
   * @param name of the tensor
   * @param dtype its type
   * @param shape its sizes
   * @param metadata texts, written in the order of their keys
   * @param data writes the elements, row-major and little-endian, as many as the sizes say
   * @throws java.io.UncheckedIOException naming the file, if it cannot be written
   */
  public static void write(
      Path file,
      String name,
      DType dtype,
      long[] shape,
      Map<String, String> metadata,
      AtomicFiles.Body<? super OutputStream> data) {
    long bytes = dtype.size();
    for (long extent : shape) {
      bytes = Math.multiplyExact(bytes, extent);
    }
    SafetensorsHeader.Entry entry = new SafetensorsHeader.Entry(name, dtype, shape, 0, bytes);
    SafetensorsHeader header = new SafetensorsHeader(List.of(entry), new TreeMap<>(metadata));
    AtomicFiles.write(
        file,
        stream -> {
          begin(stream, header);
          data.write(stream);
        });
  }

  private static void begin(OutputStream stream, SafetensorsHeader header) throws IOException {
    byte[] bytes = header.toBytes();
    byte[] length = new byte[LENGTH_BYTES];
    ByteBuffer.wrap(length).order(ByteOrder.LITTLE_ENDIAN).putLong(bytes.length);
    stream.write(length);
    stream.write(bytes);
  }
}
