package org.ivit.core.engine.jni;

import org.ivit.core.parallel.WorkerPool;

/**
 * A phase of a step cut into parts of nearly equal size: rows into {@code rowParts} runs, the units
 * of each into {@code unitParts}.
 *
 * @param step number of the step
 */
record Split(int step, PhaseWork work, int rowParts, int unitParts) {
  /** How many there are. */
  int parts() {
    return rowParts * unitParts;
  }

  /** Rows of the largest part. */
  int mostRows() {
    return (work.rows() + rowParts - 1) / rowParts;
  }

  /** Units of the largest part. */
  int mostUnits() {
    return (work.units() + unitParts - 1) / unitParts;
  }

  /** Who computes a part. */
  @FunctionalInterface
  interface Body {
    /** Rows {@code from} to {@code to} − 1, and of each units {@code first} to {@code end} − 1. */
    void run(Split split, int from, int to, int first, int end);
  }

  /** Hands part 0 … {@link #parts()} − 1 over; parts of the same units follow each other. */
  void part(int index, Body body) {
    int row = index % rowParts;
    int unit = index / rowParts;
    body.run(
        this,
        WorkerPool.start(work.rows(), row, rowParts),
        WorkerPool.start(work.rows(), row + 1, rowParts),
        WorkerPool.start(work.units(), unit, unitParts),
        WorkerPool.start(work.units(), unit + 1, unitParts));
  }
}
