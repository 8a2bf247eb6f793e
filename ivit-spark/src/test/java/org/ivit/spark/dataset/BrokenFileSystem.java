package org.ivit.spark.dataset;

import java.io.IOException;
import java.net.URI;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSInputStream;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;

/** This machine's files under {@code broken:/}, with a network that can be cut. */
public final class BrokenFileSystem extends RawLocalFileSystem {
  static volatile boolean cut;

  /** Hadoop's. */
  public BrokenFileSystem() {}

  static void register() {
    System.setProperty("spark.hadoop.fs.broken.impl", BrokenFileSystem.class.getName());
  }

  static void unregister() {
    System.clearProperty("spark.hadoop.fs.broken.impl");
    cut = false;
  }

  @Override
  public URI getUri() {
    return URI.create("broken:///");
  }

  @Override
  public void initialize(URI name, Configuration conf) throws IOException {
    super.initialize(getUri(), conf);
  }

  @Override
  public FSDataInputStream open(Path path, int buffer) throws IOException {
    return new FSDataInputStream(new Stream(super.open(path, buffer)));
  }

  private static final class Stream extends FSInputStream {
    private final FSDataInputStream in;

    Stream(FSDataInputStream in) {
      this.in = in;
    }

    private static void check() throws IOException {
      if (cut) {
        throw new IOException("the network is cut");
      }
    }

    @Override
    public void seek(long position) throws IOException {
      check();
      in.seek(position);
    }

    @Override
    public long getPos() throws IOException {
      return in.getPos();
    }

    @Override
    public boolean seekToNewSource(long position) {
      return false;
    }

    @Override
    public int read() throws IOException {
      check();
      return in.read();
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      check();
      return in.read(bytes, offset, length);
    }

    @Override
    public void close() throws IOException {
      in.close();
    }
  }
}
