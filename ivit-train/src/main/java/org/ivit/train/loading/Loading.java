package org.ivit.train.loading;

import java.util.Locale;

/**
 * How a loader keeps up with the steps that read its pictures.
 *
 * @param waited share of the time, 0 to 1, in which steps waited for pictures
 * @param picturesPerSecond that its threads load while they are at work
 * @param threads that it has
 */
public record Loading(double waited, double picturesPerSecond, int threads) {
  /** Where pictures are loaded elsewhere. */
  public static final Loading NONE = new Loading(0, 0, 0);

  /** Less is what the beginning of an epoch may cost. */
  private static final double BOTTLENECK = 0.2;

  /** Whether steps would be faster with faster pictures. */
  public boolean bottleneck() {
    return waited > BOTTLENECK;
  }

  /** The share as people read it. */
  public String percent() {
    return Math.round(100 * waited) + " %";
  }

  /** A sentence that says by how much the loader is the bottleneck. */
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "the loader is the bottleneck: %s of the time waits for pictures, %.0f pictures/s decoded"
            + " on %d %s",
        percent(),
        picturesPerSecond,
        threads,
        threads == 1 ? "thread" : "threads");
  }
}
