package org.ivit.core.calibration;

import org.ivit.core.scheme.Range;

/** Chooses the range of every node from the values that it meets, batch by batch. */
@FunctionalInterface
public interface NodeObserver {
  /**
   * Takes one batch of one node's values and answers with the range to quantize them with.
   *
   * @param values the node's values before requantization
   * @return the range to use now, and for good after the last batch
   */
  Range observe(NodeValues values);
}
