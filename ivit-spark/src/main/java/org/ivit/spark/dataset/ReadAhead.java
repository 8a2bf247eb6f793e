package org.ivit.spark.dataset;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.ivit.core.dataset.EncodedDataset;

/** The bytes of all pictures in order, read in background threads; a few wait. */
final class ReadAhead implements Iterator<byte[]>, AutoCloseable {
  /** Small files far away are a matter of latency, not of cores. */
  private static final int THREADS = 8;

  private static final int AHEAD = 32;

  private final EncodedDataset set;
  private final ExecutorService threads;
  private final Deque<Future<byte[]>> waiting = new ArrayDeque<>();
  private int asked;

  ReadAhead(EncodedDataset set) {
    this.set = set;
    this.threads =
        Executors.newFixedThreadPool(
            THREADS,
            task -> {
              Thread thread = new Thread(task, "pictures");
              thread.setDaemon(true);
              return thread;
            });
    for (int i = 0; i < AHEAD; i++) {
      ask();
    }
  }

  private void ask() {
    if (asked < set.size()) {
      int i = asked++;
      waiting.add(threads.submit(() -> set.encoded(i)));
    }
  }

  @Override
  public boolean hasNext() {
    return !waiting.isEmpty();
  }

  @Override
  public byte[] next() {
    if (waiting.isEmpty()) {
      throw new NoSuchElementException();
    }
    Future<byte[]> first = waiting.remove();
    ask();
    try {
      return first.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while reading pictures", e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException failure) {
        throw failure;
      }
      throw new IllegalStateException("reading a picture failed", e.getCause());
    }
  }

  @Override
  public void close() {
    threads.shutdownNow();
  }
}
