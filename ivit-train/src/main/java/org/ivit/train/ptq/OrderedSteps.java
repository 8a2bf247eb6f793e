package org.ivit.train.ptq;

/**
 * Lets several batches go through a network at once, in steps of which each meets the batches in
 * their order. A batch that is about to overtake the one before it waits. Different steps may run
 * at once, each in one thread at a time.
 */
final class OrderedSteps {
  /** How many steps each batch has taken. */
  private final int[] taken;

  private Throwable failure;

  /**
   * @param batches number of batches
   */
  OrderedSteps(int batches) {
    this.taken = new int[batches];
  }

  /**
   * Runs a batch in the calling thread. The batches before it must have begun, and where one fails,
   * those after it fail likewise.
   *
   * @param batch its number
   * @param body takes the steps of the batch, each by {@link #step}
   */
  void run(int batch, Runnable body) {
    try {
      body.run();
      end(batch);
    } catch (RuntimeException | Error e) {
      fail(e);
      throw e;
    }
  }

  /** The next step of a batch, after that of the batch before it. */
  void step(int batch, Runnable body) {
    await(batch);
    body.run();
    advance(batch);
  }

  private synchronized void await(int batch) {
    while (failure == null && batch > 0 && taken[batch] >= taken[batch - 1]) {
      try {
        wait();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("interrupted in a calibration pass", e);
      }
    }
    if (failure instanceof Error e) {
      throw e;
    }
    if (failure instanceof RuntimeException e) {
      throw e;
    }
  }

  private synchronized void advance(int batch) {
    taken[batch]++;
    notifyAll();
  }

  private synchronized void end(int batch) {
    taken[batch] = Integer.MAX_VALUE;
    notifyAll();
  }

  private synchronized void fail(Throwable e) {
    failure = failure == null ? e : failure;
    notifyAll();
  }
}
