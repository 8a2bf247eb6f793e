package org.ivit.core.parallel;

import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Buffers for reuse by any threads: as many exist as were ever used at once; the last given back
 * goes first.
 *
 * @param <T> a buffer
 */
public final class FreeList<T> {
  private final ConcurrentLinkedDeque<T> free = new ConcurrentLinkedDeque<>();
  private final Supplier<T> factory;

  /**
   * @param factory makes a buffer when none is free
   */
  public FreeList(Supplier<T> factory) {
    this.factory = factory;
  }

  /** Lends a buffer to {@code body} that nobody else has meanwhile. */
  public void with(Consumer<T> body) {
    T buffer = free.pollFirst();
    if (buffer == null) {
      buffer = factory.get();
    }
    try {
      body.accept(buffer);
    } finally {
      free.addFirst(buffer);
    }
  }

  /** Lets go of all buffers that are not lent. */
  public void clear() {
    free.clear();
  }
}
