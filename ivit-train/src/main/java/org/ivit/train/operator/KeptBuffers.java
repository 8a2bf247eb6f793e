package org.ivit.train.operator;

import java.util.ArrayList;
import java.util.List;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.RealType;

/** What an operator keeps of each chunk between a forward and a backward pass. */
public final class KeptBuffers {
  private final List<Buffers> chunks = new ArrayList<>();
  private int batch;

  /**
   * Makes room; in a pass that is no training, a chunk uses its thread's scratch memory instead.
   */
  public void begin(int batchSize, int count, RealType type) {
    batch = batchSize;
    while (chunks.size() < count) {
      chunks.add(new Buffers(type));
    }
  }

  /** Buffers of a chunk. */
  public Buffers chunk(int chunk) {
    return chunks.get(chunk);
  }

  /** Fails unless the last forward pass in training was of such a batch. */
  public void check(int batchSize) {
    if (batch != batchSize) {
      throw new IllegalStateException(
          "backward pass of "
              + batchSize
              + " pictures, but the last forward pass in training had "
              + batch);
    }
  }
}
