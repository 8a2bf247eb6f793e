package org.ivit.export.features;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.ivit.core.io.FileFailures;

/**
 * Features that are too many for memory, one row after another: they lie in a hidden file beside
 * the one that they will become, which ends with this object, or with the process.
 */
public final class FeatureSpool implements AutoCloseable {
  private static final int CHUNK = 1 << 20;

  private final Path target;
  private final FileChannel channel;
  private final List<String> names = new ArrayList<>();
  private int width;
  private boolean integer;
  private float scale;

  /**
   * @param target the file to come; its folder exists
   * @throws UncheckedIOException naming it, if nothing can be written there
   */
  public FeatureSpool(Path target) {
    this.target = target;
    Path file =
        target
            .toAbsolutePath()
            .resolveSibling(
                "."
                    + target.getFileName()
                    + "."
                    + Long.toHexString(ThreadLocalRandom.current().nextLong())
                    + ".rows.tmp");
    try {
      channel =
          FileChannel.open(
              file,
              StandardOpenOption.CREATE_NEW,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE,
              StandardOpenOption.DELETE_ON_CLOSE);
    } catch (IOException e) {
      throw failure(e);
    }
  }

  private UncheckedIOException failure(IOException e) {
    return new UncheckedIOException(target + ": cannot be written: " + FileFailures.reason(e), e);
  }

  /**
   * Adds rows.
   *
   * @param rows of the same model each time
   * @param pictures a name for each
   */
  public void add(Features rows, List<String> pictures) {
    if (rows.count() != pictures.size()) {
      throw new IllegalArgumentException(rows.count() + " rows, " + pictures.size() + " names");
    }
    width = rows.width();
    integer = rows.integer();
    scale = rows.scale();
    names.addAll(pictures);
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.multiplyExact(4, rows.count() * width))
            .order(ByteOrder.LITTLE_ENDIAN);
    if (integer) {
      bytes.asIntBuffer().put(rows.codes());
    } else {
      bytes.asFloatBuffer().put(rows.values());
    }
    try {
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    } catch (IOException e) {
      throw failure(e);
    }
  }

  /** Names of the rows so far. */
  public List<String> names() {
    return Collections.unmodifiableList(names);
  }

  /** Numbers of a row; 0 before the first. */
  public int width() {
    return width;
  }

  /** Whether they are int32 codes, and not float32 values. */
  public boolean integer() {
    return integer;
  }

  /** Value of one code; 1 for float32 values. */
  public float scale() {
    return scale;
  }

  /** Copies all rows: little-endian numbers of 4 bytes, row by row. */
  void copyTo(OutputStream out) throws IOException {
    ByteBuffer chunk = ByteBuffer.allocate(CHUNK);
    long at = 0;
    while (true) {
      chunk.clear();
      int read = channel.read(chunk, at);
      if (read < 0) {
        return;
      }
      out.write(chunk.array(), 0, read);
      at += read;
    }
  }

  /**
   * A row.
   *
   * @throws IOException if it cannot be read back
   */
  public Features row(int index) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(4 * width).order(ByteOrder.LITTLE_ENDIAN);
    long from = (long) index * bytes.capacity();
    while (bytes.hasRemaining()) {
      if (channel.read(bytes, from + bytes.position()) < 0) {
        throw new IOException("features ended at row " + index);
      }
    }
    bytes.flip();
    if (integer) {
      int[] codes = new int[width];
      bytes.asIntBuffer().get(codes);
      return Features.ofCodes(codes, scale, width);
    }
    float[] values = new float[width];
    bytes.asFloatBuffer().get(values);
    return Features.ofValues(values, width);
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw failure(e);
    }
  }
}
