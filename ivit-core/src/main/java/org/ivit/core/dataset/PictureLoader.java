package org.ivit.core.dataset;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.ivit.core.InputException;
import org.ivit.core.image.Rgb;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decodes and transforms pictures in background threads and gives them in the order asked for,
 * whatever the number of threads. At most {@code ahead} pictures wait; the reader's own calls keep
 * the threads supplied. For one reading thread.
 *
 * @param <T> what the transform makes of a picture
 */
public final class PictureLoader<T> implements Iterator<PictureLoader.Loaded<T>>, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(PictureLoader.class);

  /** What is done with a picture; called in several threads at once. */
  @FunctionalInterface
  public interface Transform<T> {
    /** The result for a picture, which depends on it and its index in the set alone. */
    T apply(Rgb picture, int index);
  }

  /**
   * One picture.
   *
   * @param index its index in the set
   * @param label its class
   * @param value what the transform made of it
   */
  public record Loaded<T>(int index, int label, T value) {}

  private final Dataset dataset;
  private final int[] order;
  private final Transform<T> transform;
  private final OnCorrupt onCorrupt;
  private final int ahead;
  private final ExecutorService executor;
  private final int threads;
  private final AtomicLong busyNanos = new AtomicLong();
  private final AtomicInteger loaded = new AtomicInteger();
  private final Deque<Future<Loaded<T>>> waiting = new ArrayDeque<>();
  private final List<String> skipped = new ArrayList<>();
  private int submitted;
  private Loaded<T> next;
  private long waitedNanos;

  /**
   * What a loader has done so far.
   *
   * @param waitedNanos time that its reader has waited for pictures
   * @param busyNanos time that its threads were at work, all of them together
   * @param pictures that they are done with, whether read yet or not
   * @param threads that it has
   */
  public record Work(long waitedNanos, long busyNanos, int pictures, int threads) {
    /** Nothing, by nobody. */
    public static final Work NONE = new Work(0, 0, 0, 0);

    /** What came after {@code before}. */
    public Work since(Work before) {
      return new Work(
          waitedNanos - before.waitedNanos,
          busyNanos - before.busyNanos,
          pictures - before.pictures,
          threads);
    }
  }

  /**
   * Starts to load.
   *
   * @param order indices in the set, in the order wanted
   * @param threads background threads, at least 1
   * @param ahead pictures loaded in advance, at least 1
   */
  public PictureLoader(
      Dataset dataset,
      int[] order,
      Transform<T> transform,
      OnCorrupt onCorrupt,
      int threads,
      int ahead) {
    if (threads < 1 || ahead < 1) {
      throw new IllegalArgumentException(threads + " threads, " + ahead + " ahead");
    }
    this.dataset = dataset;
    this.order = order.clone();
    this.transform = transform;
    this.onCorrupt = onCorrupt;
    this.ahead = ahead;
    this.threads = threads;
    this.executor =
        Executors.newFixedThreadPool(
            threads,
            task -> {
              Thread thread = new Thread(task, "picture-loader");
              thread.setDaemon(true);
              return thread;
            });
    submit();
  }

  /** All pictures of a set in its order. */
  public static int[] inOrder(Dataset dataset) {
    int[] order = new int[dataset.size()];
    for (int i = 0; i < order.length; i++) {
      order[i] = i;
    }
    return order;
  }

  private void submit() {
    while (submitted < order.length && waiting.size() < ahead) {
      int index = order[submitted++];
      waiting.add(executor.submit(() -> load(index)));
    }
  }

  private Loaded<T> load(int index) {
    long start = System.nanoTime();
    try {
      return new Loaded<>(
          index, dataset.label(index), transform.apply(dataset.picture(index), index));
    } finally {
      busyNanos.addAndGet(System.nanoTime() - start);
      loaded.incrementAndGet();
    }
  }

  /**
   * Whether the next so many pictures can be read without waiting; not where one of them failed.
   *
   * @param count more than are loaded ahead are never ready
   */
  public boolean ready(int count) {
    int needed = next == null ? count : count - 1;
    Iterator<Future<Loaded<T>>> first = waiting.iterator();
    for (int i = 0; i < needed; i++) {
      if (!first.hasNext() || !succeeded(first.next())) {
        return false;
      }
    }
    return true;
  }

  private static boolean succeeded(Future<?> future) {
    if (!future.isDone()) {
      return false;
    }
    try {
      future.get();
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    } catch (ExecutionException e) {
      return false;
    }
  }

  /** What was done so far. */
  public Work work() {
    return new Work(waitedNanos, busyNanos.get(), loaded.get(), threads);
  }

  /**
   * Whether there is another picture; waits for it.
   *
   * @throws InputException naming the picture, if it is corrupt and that is fatal
   */
  @Override
  public boolean hasNext() {
    while (next == null && !waiting.isEmpty()) {
      Future<Loaded<T>> first = waiting.remove();
      submit();
      long start = System.nanoTime();
      try {
        next = first.get();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("interrupted while loading pictures", e);
      } catch (ExecutionException e) {
        failed(e.getCause());
      } finally {
        waitedNanos += System.nanoTime() - start;
      }
    }
    return next != null;
  }

  private void failed(Throwable cause) {
    if (cause instanceof InputException corrupt) {
      if (onCorrupt == OnCorrupt.FAIL) {
        throw new InputException(corrupt.getMessage(), corrupt);
      }
      LOG.warn("skipped: {}", corrupt.getMessage());
      skipped.add(corrupt.getMessage());
      return;
    }
    if (cause instanceof Error error) {
      throw error;
    }
    throw new IllegalStateException("loading a picture failed", cause);
  }

  @Override
  public Loaded<T> next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    Loaded<T> result = next;
    next = null;
    return result;
  }

  /** One line for each picture left out so far, in order. */
  public List<String> skipped() {
    return List.copyOf(skipped);
  }

  /** Stops the threads; pictures not yet read are lost. */
  @Override
  public void close() {
    executor.shutdownNow();
    waiting.clear();
  }
}
