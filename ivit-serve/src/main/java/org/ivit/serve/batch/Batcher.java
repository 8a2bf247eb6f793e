package org.ivit.serve.batch;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.ivit.serve.model.Answer;
import org.ivit.serve.model.Input;
import org.ivit.serve.model.Runner;

/**
 * Runs a model on batches of what several callers submit, in the order in which they do. A batch
 * begins when it is full, or when its first picture has waited long enough; what comes while the
 * model is busy with as many batches as it runs at once waits for the next.
 */
public final class Batcher implements AutoCloseable {
  private final Runner runner;
  private final int mostPictures;
  private final long mostWaiting;
  private final Listener listener;
  private final Executor executor;
  private final BlockingQueue<Job> queue = new LinkedBlockingQueue<>();
  private final Job end = new Job(null);
  private final List<Thread> threads;
  private volatile boolean hurried;
  private boolean closed;

  /** Hears of every batch. */
  public interface Listener {
    /**
     * A batch ended.
     *
     * @param pictures how many
     * @param nanos how long it took
     */
    void ran(int pictures, long nanos);
  }

  /**
   * Begins to wait for pictures.
   *
   * @param name of its threads
   * @param runner closed with the batcher
   * @param mostPictures of a batch, at least 1
   * @param mostWaiting of a picture for others, while the model has nothing to do
   * @param executor runs what hangs on outcomes while the model runs the next batch; where it
   *     refuses, the model waits for that
   */
  public Batcher(
      String name,
      Runner runner,
      int mostPictures,
      Duration mostWaiting,
      Listener listener,
      Executor executor) {
    this.runner = runner;
    this.mostPictures = mostPictures;
    this.mostWaiting = mostWaiting.toNanos();
    this.listener = listener;
    this.executor = executor;
    this.threads =
        IntStream.range(0, runner.batchesAtOnce())
            .mapToObj(i -> new Thread(this::loop, name + "-" + i))
            .toList();
    for (Thread thread : threads) {
      thread.setDaemon(true);
      thread.start();
    }
  }

  /**
   * Puts a picture into the queue.
   *
   * @throws IllegalStateException if the batcher is closed
   */
  public synchronized Job submit(Input input) {
    if (closed) {
      throw new IllegalStateException("the model is closed");
    }
    Job job = new Job(input);
    queue.add(job);
    return job;
  }

  /** From now on batches do not wait for more: hardly any more will come. */
  public void hurry() {
    hurried = true;
    Job wake = new Job(null);
    wake.cancel();
    queue.add(wake);
  }

  private void loop() {
    try {
      List<Job> batch = new ArrayList<>(mostPictures);
      for (boolean open = true; open; ) {
        open = fill(batch);
        batch.removeIf(job -> !job.begin());
        if (!batch.isEmpty()) {
          run(List.copyOf(batch));
        }
        batch.clear();
      }
    } catch (InterruptedException e) {
      // Nobody but this class knows the threads, and it interrupts none.
      throw new IllegalStateException(e);
    }
  }

  /** Waits for a batch; false where it is the last. One thread at a time does so. */
  private boolean fill(List<Job> batch) throws InterruptedException {
    synchronized (queue) {
      boolean open = take(batch);
      if (!open) {
        queue.add(end);
      }
      return open;
    }
  }

  private boolean take(List<Job> batch) throws InterruptedException {
    Job next = queue.take();
    long until = next.submitted() + mostWaiting;
    while (next != null && next != end) {
      batch.add(next);
      next =
          batch.size() < mostPictures
              ? queue.poll(hurried ? 0 : until - System.nanoTime(), TimeUnit.NANOSECONDS)
              : null;
    }
    return next != end;
  }

  private void run(List<Job> batch) {
    long start = System.nanoTime();
    try {
      List<Answer> answers = runner.run(batch.stream().map(Job::input).toList());
      long nanos = System.nanoTime() - start;
      listener.ran(batch.size(), nanos);
      tell(
          () -> {
            for (int i = 0; i < batch.size(); i++) {
              Job job = batch.get(i);
              job.outcome()
                  .complete(
                      new Outcome(answers.get(i), batch.size(), start - job.submitted(), nanos));
            }
          });
    } catch (RuntimeException | Error e) {
      // Whoever waits hears of it, and the next batch may fare better.
      tell(() -> batch.forEach(job -> job.outcome().completeExceptionally(e)));
    }
  }

  private void tell(Runnable outcomes) {
    try {
      executor.execute(outcomes);
    } catch (RejectedExecutionException e) {
      outcomes.run();
    }
  }

  /** Answers what was submitted, then closes the model. */
  @Override
  public void close() {
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
      queue.add(end);
    }
    boolean interrupted = false;
    for (Thread thread : threads) {
      while (thread.isAlive()) {
        try {
          thread.join();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    }
    runner.close();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
