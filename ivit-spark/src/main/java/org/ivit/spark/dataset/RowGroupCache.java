package org.ivit.spark.dataset;

import java.io.IOException;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Pictures of whole row groups, of which those that were used last are kept. One is read at a time.
 */
final class RowGroupCache {
  private final long most;
  private final Map<Key, byte[][]> groups = new LinkedHashMap<>(16, 0.75f, true);
  private long bytes;

  /** A row group of a file. */
  private record Key(Object file, int group) {}

  /** Reads a row group. */
  interface Reading {
    byte[][] read(int group) throws IOException;
  }

  /**
   * @param most bytes that are kept; one group is kept whatever it takes
   */
  RowGroupCache(long most) {
    this.most = most;
  }

  /** The pictures of a row group. */
  synchronized byte[][] get(Object file, int group, Reading reading) throws IOException {
    Key key = new Key(file, group);
    byte[][] pictures = groups.get(key);
    if (pictures == null) {
      pictures = reading.read(group);
      bytes += size(pictures);
      groups.put(key, pictures);
      evict();
    }
    return pictures;
  }

  private void evict() {
    for (Iterator<byte[][]> i = groups.values().iterator(); bytes > most && groups.size() > 1; ) {
      bytes -= size(i.next());
      i.remove();
    }
  }

  private static long size(byte[][] pictures) {
    return Stream.of(pictures).mapToLong(p -> p == null ? 0 : p.length).sum();
  }
}
