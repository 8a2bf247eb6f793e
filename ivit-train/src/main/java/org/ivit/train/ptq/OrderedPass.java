package org.ivit.train.ptq;

import java.util.function.Function;
import org.ivit.core.calibration.NodeObserver;
import org.ivit.core.scheme.Range;

/**
 * Lets several batches go through a network at once and shows an observer what it would see of one
 * after the other: each node meets the batches in their order. A batch that is about to overtake
 * the one before it waits. Different nodes are observed at once, each by one thread at a time.
 */
final class OrderedPass {
  private final NodeObserver observer;

  /** How many nodes each batch has passed. */
  private final int[] passed;

  private Throwable failure;

  /**
   * @param observer answers for all batches; may be asked about different nodes at once
   * @param batches number of batches
   */
  OrderedPass(NodeObserver observer, int batches) {
    this.observer = observer;
    this.passed = new int[batches];
  }

  /**
   * Runs a batch in the calling thread. The batches before it must have begun, and where one fails,
   * those after it fail likewise.
   *
   * @param batch its number
   * @param forward shows every node of the batch, in the order of all batches, to the observer that
   *     it is given
   * @return what {@code forward} returned
   */
  <T> T run(int batch, Function<NodeObserver, T> forward) {
    try {
      T result =
          forward.apply(
              values -> {
                await(batch);
                Range range = observer.observe(values);
                advance(batch);
                return range;
              });
      end(batch);
      return result;
    } catch (RuntimeException | Error e) {
      fail(e);
      throw e;
    }
  }

  private synchronized void await(int batch) {
    while (failure == null && batch > 0 && passed[batch] >= passed[batch - 1]) {
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
    passed[batch]++;
    notifyAll();
  }

  private synchronized void end(int batch) {
    passed[batch] = Integer.MAX_VALUE;
    notifyAll();
  }

  private synchronized void fail(Throwable e) {
    failure = failure == null ? e : failure;
    notifyAll();
  }
}
