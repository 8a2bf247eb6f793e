package org.ivit.core.tensor;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.ivit.core.InputException;

/**
 * The bytes of a file as little-endian slices: on the heap for a small file, mapped for a large
 * one. Slices stay valid after closing.
 */
final class FileBytes implements Closeable {
  /** Smaller files are read to the heap: a mapping costs more, and locks the file on Windows. */
  private static final long SMALLEST_MAPPED = 1 << 20;

  private final String source;
  private final FileChannel channel;
  private final long size;
  private final ByteBuffer all;

  private FileBytes(String source, FileChannel channel, long size, ByteBuffer all) {
    this.source = source;
    this.channel = channel;
    this.size = size;
    this.all = all;
  }

  @SuppressWarnings("resource")
  static FileBytes open(Path file) throws IOException {
    FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
    try {
      long size = channel.size();
      ByteBuffer all = null;
      if (size < SMALLEST_MAPPED) {
        all = read(channel, (int) size);
      } else if (size <= Integer.MAX_VALUE) {
        all = channel.map(MapMode.READ_ONLY, 0, size);
      }
      return new FileBytes(file.toString(), channel, size, all);
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  private static ByteBuffer read(FileChannel channel, int size) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(size);
    while (bytes.hasRemaining()) {
      if (channel.read(bytes, bytes.position()) < 0) {
        throw new EOFException("the file became shorter while it was read");
      }
    }
    return bytes.flip();
  }

  String source() {
    return source;
  }

  long size() {
    return size;
  }

  /**
   * @param what names the part in the message
   * @throws InputException saying where, if the file ends before the part does
   */
  ByteBuffer slice(String what, long begin, long length) throws IOException {
    if (begin < 0 || length < 0 || begin > size || length > size - begin) {
      throw new InputException(
          "%s: %s: needs %s bytes from byte %s, but the file ends at byte %d: truncated or damaged"
              .formatted(
                  source, what, Long.toUnsignedString(length), Long.toUnsignedString(begin), size));
    }
    if (length > Integer.MAX_VALUE) {
      throw new InputException(
          "%s: %s: has %d bytes, expected at most 2 GiB".formatted(source, what, length));
    }
    ByteBuffer part =
        all != null
            ? all.slice((int) begin, (int) length)
            : channel.map(MapMode.READ_ONLY, begin, length);
    return part.order(ByteOrder.LITTLE_ENDIAN);
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
