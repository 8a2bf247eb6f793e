package org.ivit.train.ptq;

import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.ivit.core.calibration.NodeObserver;
import org.ivit.core.calibration.NodeValues;
import org.ivit.core.scheme.Range;

/**
 * Lets several batches go through a network at once and shows an observer what it would see of one
 * after the other: each node meets the batches in their order. A batch that is about to overtake
 * the one before it waits. Different nodes are observed at once, each by one thread at a time.
 */
final class OrderedPass {
  private final NodeObserver observer;

  private final OrderedSteps steps;

  /**
   * @param observer answers for all batches; may be asked about different nodes at once
   * @param batches number of batches
   */
  OrderedPass(NodeObserver observer, int batches) {
    this.observer = observer;
    this.steps = new OrderedSteps(batches);
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
    AtomicReference<T> result = new AtomicReference<>();
    steps.run(batch, () -> result.set(forward.apply(values -> observe(batch, values))));
    return result.get();
  }

  private Range observe(int batch, NodeValues values) {
    AtomicReference<Range> range = new AtomicReference<>();
    steps.step(batch, () -> range.set(observer.observe(values)));
    return range.get();
  }
}
