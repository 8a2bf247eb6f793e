package org.ivit.core.parallel;

/** What {@link WorkerPool#ranges} does with one part of a range. */
@FunctionalInterface
public interface RangeBody {
  /**
   * Works on the indices {@code from} to {@code to − 1}.
   *
   * @param from first index of the part
   * @param to index after its last
   * @param part number of the part, 0 to {@link WorkerPool#threads()} − 1; no two parts of one call
   *     share it, so it may choose a scratch buffer that belongs to the call
   */
  void accept(int from, int to, int part);
}
