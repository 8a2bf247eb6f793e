package org.ivit.core.engine.portable;

import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Buffers for reuse: as many exist as were ever used at once; the last given back goes first. */
final class FreeList<T> {
  private final ConcurrentLinkedDeque<T> free = new ConcurrentLinkedDeque<>();
  private final Supplier<T> factory;

  /**
   * @param factory makes a buffer when none is free
   */
  FreeList(Supplier<T> factory) {
    this.factory = factory;
  }

  /** Lends a buffer to {@code body} that nobody else has meanwhile. */
  void with(Consumer<T> body) {
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
  void clear() {
    free.clear();
  }
}
