package org.ivit.spark.dataset;

import java.io.Closeable;
import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.URI;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;

/** Bytes of a file anywhere in it, for several threads. */
interface RandomAccess extends Closeable {
  /**
   * Reads.
   *
   * @param offset of the first byte
   * @param length how many
   * @throws java.io.EOFException if the file ends before
   */
  byte[] read(long offset, int length) throws IOException;

  /** Opens a file. */
  static RandomAccess open(FileSystem files, FileStatus file) throws IOException {
    URI uri = file.getPath().toUri();
    return "file".equals(files.getUri().getScheme())
        ? new Local(new RandomAccessFile(new File(uri.getPath()), "r"))
        : new Remote(files.open(file.getPath()));
  }

  /**
   * Not a channel: an interrupted thread, as of a loader that is closed, would close it for all.
   */
  record Local(RandomAccessFile file) implements RandomAccess {
    @Override
    public byte[] read(long offset, int length) throws IOException {
      byte[] bytes = new byte[length];
      synchronized (file) {
        file.seek(offset);
        file.readFully(bytes);
      }
      return bytes;
    }

    @Override
    public void close() throws IOException {
      file.close();
    }
  }

  /** A file of Hadoop's, read by position, which leaves its stream as it is. */
  record Remote(FSDataInputStream file) implements RandomAccess {
    @Override
    public byte[] read(long offset, int length) throws IOException {
      byte[] bytes = new byte[length];
      file.readFully(offset, bytes);
      return bytes;
    }

    @Override
    public void close() throws IOException {
      file.close();
    }
  }
}
