package org.ivit.train.operator;

import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.ivit.core.graph.Range;

/** What each chunk of a pass saw, so that threads need not share one record. */
public final class SeenInChunks {
  private final List<SeenRanges> chunks = new ArrayList<>();
  private int count;

  /** Forgets everything and makes room for a pass; with 0 chunks nothing is recorded. */
  public void begin(int chunkCount) {
    count = chunkCount;
    while (chunks.size() < count) {
      chunks.add(new SeenRanges());
    }
    chunks.forEach(SeenRanges::clear);
  }

  /** The record of a chunk, or null when nothing is recorded. */
  public SeenRanges chunk(int chunk) {
    return count == 0 ? null : chunks.get(chunk);
  }

  /** What all chunks saw. */
  public SortedMap<String, Range> all() {
    SortedMap<String, Range> all = new TreeMap<>();
    chunks.forEach(chunk -> chunk.addTo(all));
    return all;
  }
}
